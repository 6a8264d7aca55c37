package acceptance

import (
	"bufio"
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// metering returns a way to run rtfm with these rulesets.
func metering(name, environ string, rules ...string) contestant {
	return contestant{
		name: name, environ: environ, ours: true, counted: countedByRTFM,
		command: "rtfm run -q -f 12000000 -F DIR/flows -r " + strings.Join(rules, " -r ") + " TRACE",
	}
}

// contests returns the contests.
func contests(t *testing.T) (all []contest) {
	const oneCore = "GOMAXPROCS=1"
	limit := contestant{name: "limit-go", command: "limit-go TRACE DIR/flows", ours: true,
		counted: countedBy(`packets=(?P<Packets>\d+) ipbytes=(?P<IPOctets>\d+) biflows=(?P<Flows>\d+) uniflows=(?P<OneWay>\d+)`)}
	both, one := metering("rtfm", "", everyFlow), metering("rtfm on one core", oneCore, everyFlow)
	big1 := tracetest.Ordinary(10_000_000, 100_000)
	for _, w := range []struct {
		name string
		*tracetest.Workload
	}{
		{"big1", big1},
		{"manyflows", tracetest.ShortFlows(1_000_000)},
		{"oneflow", tracetest.OneFlow(10_000_000)},
	} {
		all = append(all, contest{w.name, w.name + ".pcap", w.Workload, append([]contestant{limit, both, one}, others...)})
	}
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000, 10_000_000} {
		name := fmt.Sprintf("flows%d", n)
		all = append(all, contest{name, name + ".pcap", tracetest.Even(max(5_000_000, 2*n), n), []contestant{limit, both, one}})
	}

	// What rulesets cost. They need not save what makes each flow one of its own.
	rules := func(name, environ string, files ...string) contestant {
		p := metering(name, environ, files...)
		p.counted = nil
		return p
	}
	networks := map[int]string{}
	for _, n := range []int{10, 1_000, 100_000} {
		networks[n] = filepath.Join(t.TempDir(), fmt.Sprintf("networks%d.srl", n))
		if err := os.WriteFile(networks[n], networkRules(n), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	coarse := filepath.Join(t.TempDir(), "coarse.srl")
	if err := os.WriteFile(coarse, []byte("save SourcePeerType; save SourceTransType; count;\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(everyFlow)
	if err != nil {
		t.Fatal(err)
	}
	const to, from = "save ToTurnaroundTime1 = 50.tcp_data.0!0 & 2.3.1!700;\n", "save FromTurnaroundTime1 = 50.tcp_data.0!0 & 2.3.1!700;\n"
	turnaround := func(name, saved string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, bytes.Replace(text, []byte("count;"), []byte(saved+"count;"), 1), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	oneWay, bothWays := turnaround("one-way.srl", to), turnaround("both-ways.srl", to+from)
	for name, environ := range map[string]string{"rulesets": "", "rulesets on one core": oneCore} {
		all = append(all, contest{name, "big1.pcap", big1, []contestant{
			rules("all-flows", environ, everyFlow),
			rules("four times that", environ, everyFlow, everyFlow, everyFlow, everyFlow),
			rules("with TCP turnaround times", environ, oneWay),
			rules("with those to and from", environ, bothWays),
			rules("a flow for each protocol", environ, coarse),
			rules("10 networks", environ, networks[10]),
			rules("1,000 networks", environ, networks[1_000]),
			rules("100,000 networks", environ, networks[100_000]),
		}})
	}
	all = append(all,
		contest{"start", "start.pcap", tracetest.Ordinary(1000, 100), []contestant{
			both,
			rules("10 networks", "", networks[10]),
			rules("100,000 networks", "", networks[100_000]),
		}},
		contest{"gzip", "big1.pcap.gz", big1, []contestant{{name: "zcat", command: "zcat TRACE"}, both, one}},
		contest{"zstd", "big1.pcap.zst", big1, []contestant{{name: "zstdcat", command: "zstdcat TRACE"}, both, one}})
	return all
}

// others are programs that Debian has.
var others = []contestant{
	// It counts the directions of a flow apart.
	{name: "nfpcapd", command: "nfpcapd -r TRACE -w DIR",
		counted: countedBy(`Flows: (?P<OneWay>\d+), Packets: (?P<Packets>\d+), Bytes: (?P<IPOctets>\d+)`)},
	{name: "softflowd", command: "softflowd -d -r TRACE -n 127.0.0.1:9 -v 9 -m 12000000",
		counted: countedBy(`Packets processed: (?P<Packets>\d+)`, `Flows exported: (?P<Flows>\d+)`, `\(\d+\): +(?P<IPOctets>\d+) `)},
	{name: "argus", command: "argus -X -S 3600 -r TRACE -w DIR/flows",
		counted: func(t *testing.T, printed, dir string) tracetest.Totals {
			n := countedBy(`sum +(?P<Flows>\d+) +(?P<Packets>\d+) +\d+ +\d+ +(?P<Octets>\d+)`)(
				t, tracetest.Run(t, "racount -r "+dir+"/flows"), dir)
			n.Flows-- // the program's record of itself
			return n
		}},
}

// countedBy returns a function that finds totals in what is printed, by
// expressions with groups of their names. What is found several times is added
// up.
func countedBy(expressions ...string) func(t *testing.T, printed, dir string) tracetest.Totals {
	return func(t *testing.T, printed, dir string) (n tracetest.Totals) {
		for _, expression := range expressions {
			e := regexp.MustCompile(expression)
			found := e.FindAllStringSubmatch(printed, -1)
			if found == nil {
				t.Fatalf("no %s in %s", expression, printed)
			}
			for _, m := range found {
				for name, sum := range map[string]*int{
					"Packets": &n.Packets, "Octets": &n.Octets, "IPOctets": &n.IPOctets, "Flows": &n.Flows, "OneWay": &n.OneWay,
				} {
					if i := e.SubexpIndex(name); i > 0 {
						v, err := strconv.Atoi(m[i])
						if err != nil {
							t.Fatal(err)
						}
						*sum += v
					}
				}
			}
		}
		return n
	}
}

// countedByRTFM adds up the flow data file.
func countedByRTFM(t *testing.T, printed, dir string) (n tracetest.Totals) {
	f, err := os.Open(filepath.Join(dir, "flows"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	columns := make(map[string]int)
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if fields[0] == "#Format:" {
			for i, name := range fields[1:] {
				columns[name] = i
			}
		}
		if strings.HasPrefix(fields[0], "#") {
			continue
		}
		n.Flows++
		ways := [2]int{}
		for name, sums := range map[string][2]*int{
			"topdus": {&n.Packets, &ways[0]}, "frompdus": {&n.Packets, &ways[1]}, "tooctets": {&n.Octets}, "fromoctets": {&n.Octets},
		} {
			v, err := strconv.Atoi(fields[columns[name]])
			if err != nil {
				t.Fatal(err)
			}
			for _, sum := range sums {
				if sum != nil {
					*sum += v
				}
			}
		}
		n.OneWay += min(ways[0], 1) + min(ways[1], 1)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return n
}

// networkRules returns a ruleset as RFC 2123 section 6.1 tells of one: a
// subroutine finds out for both ends whether they are in one of n networks of
// ours, or of others of our country, or anywhere else.
func networkRules(n int) []byte {
	r := rand.New(rand.NewPCG(2123, uint64(n)))
	networks := func(n int) string {
		var list []string
		for range n {
			// Half of them are among the addresses of the workloads.
			width, address := 12+r.IntN(19), r.Uint32()
			switch r.IntN(4) {
			case 0:
				address = 10<<24 | address>>14
			case 1:
				address = 172<<24 | 16<<16 | address>>19
			}
			address &= ^uint32(0) << (32 - width)
			list = append(list, fmt.Sprintf("%d.%d.%d.%d/%d", address>>24, address>>16&255, address>>8&255, address&255, width))
		}
		return strings.Join(list, ", ")
	}
	return fmt.Appendf(nil, `define ours = (%s);
define national = (%s);
if SourcePeerType == (ipv4, ipv6) save;
else ignore;
call network (SourcePeerAddress, SourceKind) endcall;
call network (DestPeerAddress, DestKind) endcall;
count;
subroutine network (address addr, variable kind)
   if addr == ours { store kind := 1; return 1; }
   if addr == national { store kind := 2; return 2; }
   store kind := 3;
   return 3;
   endsub;
`, networks(n/2), networks(n/2))
}
