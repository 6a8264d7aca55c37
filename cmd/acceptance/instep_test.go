package acceptance

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/mib"
	"rtfm/mib/client"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// TestInStep meters traces in step with a manager, and wants the flow data that
// "rtfm run" writes for the same trace, ruleset and interval, but for the
// first line, and the same series.
func TestInStep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	campus := filepath.Join(dir, "campus.pcap")
	if err := os.WriteFile(campus, campusTrace(), 0o666); err != nil {
		t.Fatal(err)
	}
	mixed := filepath.Join(dir, "mixed.pcap")
	packets := tracetest.Mix(3000)
	for i := range packets {
		packets[i].Time += int64(i) * 2e7 // a minute in all
	}
	// A silence of many intervals stands in the middle.
	for i := range packets[1500:] {
		packets[1500+i].Time += int64(3 * time.Minute)
	}
	if err := os.WriteFile(mixed, tracetest.PCAP(tracetest.PCAPOptions{}, packets...), 0o666); err != nil {
		t.Fatal(err)
	}
	// One packet is of a time ten years ahead, and so is the first.
	wild := filepath.Join(dir, "wild.pcap")
	for i := range packets {
		packets[i].Time += 1_700_000_000e9
	}
	packets[0].Time += 10 * 365 * 86400e9
	packets[2000].Time += 10 * 365 * 86400e9
	if err := os.WriteFile(wild, tracetest.PCAP(tracetest.PCAPOptions{}, packets...), 0o666); err != nil {
		t.Fatal(err)
	}
	// The short traces have few intervals, the long ones hundreds.
	intervals := map[string][]string{campus: {"0.5", "60"}, mixed: {"7"}, wild: {"7", "60"}, "traces/testdata/sample.pcap": {"7", "3600"}}
	if tracetest.Long() {
		for trace := range intervals {
			intervals[trace] = []string{"0.5", "1", "7", "60", "3600"}
		}
	}
	embedded, agent := freePort(t), freePort(t)
	socket := snmpd(t, agent)
	for trace, intervals := range intervals {
		for _, interval := range intervals {
			name := filepath.Base(trace) + " " + interval
			want := filepath.Join(dir, name+".flows")
			form := "--json=false"
			if trace == wild {
				form = "--json" // which tells of outliers
			}
			ends(t, program(t, "run", "-q", form, "--name", "127.0.0.1", "-r", "manager/testdata/all.srl", "-T", interval, "-F", want, "--series", want+".series", trace))
			if told := strings.Contains(behindFirst(t, want), `"outliers":`); told != (trace == wild) {
				t.Errorf("%s: outliers are told of: %t", name, told)
			}
			for _, front := range []struct{ name, port, option, address string }{
				{"embedded", embedded, "-m", embedded},
				{"snmpd", agent, "--agentx", socket},
			} {
				t.Run(name+" "+front.name, func(t *testing.T) {
					got := filepath.Join(t.TempDir(), "step.flows")
					meter := program(t, "meter", "-C", trace, "-T", interval, front.option, front.address, "--series", got+".series")
					ends(t, program(t, "manager", "-C", form, "-r", "manager/testdata/all.srl", "-m", front.port, "-F", got, "127.0.0.1"))
					ends(t, meter)
					if a, b := behindFirst(t, want), behindFirst(t, got); a != b {
						t.Errorf("rtfm run writes\n%s\nin step it is\n%s", a, b)
					}
					if a, b := behindFirst(t, want+".series"), behindFirst(t, got+".series"); a != b || a == "" {
						t.Errorf("the series of rtfm run is\n%s\nin step it is\n%s", a, b)
					}
				})
			}
		}
	}
}

// inTunnels saves what packets in tunnels have, and statistics of every form.
const inTunnels = `save TunnelKind, TunnelID, VLANTags, InnerVLANid, MPLSLabel, MPLSBottomLabel, InnerSourcePeerAddress, InnerDestPeerAddress;
save SourcePeerType, SourcePeerAddress, DestPeerAddress, SourceTransType, SourceTransAddress, DestTransAddress;
save ToSizeStats, FromGapStats, ToPayloadStats, FromWindowStats, ToTurnaroundStats = dns, ToHopLimitRange, FromIPIDRange, ToTCPFlags;
save ToZeroWindows, FromResets, FromRetransmittedPDUs, ToRetransmittedOctets, ToOutOfOrderPDUs, FromSequenceGaps, ToMissingOctets;
save FirstPackets = 5, FirstPayloads = 3, FlowID, CommunityID;
count;
`

// TestInStepTunnels has what tunnels carry metered in step, with all statistics: the
// flow data is that of "rtfm run", octet for octet, and so is the series.
func TestInStepTunnels(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rules, want, got := filepath.Join(dir, "tunnels.srl"), filepath.Join(dir, "run"), filepath.Join(dir, "step")
	if err := os.WriteFile(rules, []byte(inTunnels), 0o600); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	for _, form := range []string{"--json=false", "--json"} {
		ends(t, program(t, "run", "-q", form, "--decap", "all", "--name", "127.0.0.1", "-r", rules, "-T", "60", "-F", want, "--series", want+".series", providerTrace))
		meter := program(t, "meter", "--decap", "all", "-C", providerTrace, "-T", "60", "-m", port, "--series", got+".series")
		ends(t, program(t, "manager", "-C", form, "-r", rules, "-m", port, "-F", got, "127.0.0.1"))
		ends(t, meter)
		for _, suffix := range []string{"", ".series"} {
			a, b := behindFirst(t, want+suffix), behindFirst(t, got+suffix)
			if a != b {
				t.Errorf("%s: rtfm run writes %d octets, in step it is %d others", form, len(a), len(b))
			}
			if err := errors.Join(os.Remove(want+suffix), os.Remove(got+suffix)); err != nil {
				t.Fatal(err)
			}
			if form == "--json" && suffix == "" && (!strings.Contains(a, `"TunnelID":42,"TunnelKind":1,`) || !regexp.MustCompile(`"decapsulated":[1-9]`).MatchString(a)) {
				t.Error("nothing came out of tunnels")
			}
		}
	}
}

// TestInStepDays meters a trace in step whose intervals are longer than a reader
// may usually be silent.
func TestInStepDays(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	trace, want, got := filepath.Join(dir, "days.pcap"), filepath.Join(dir, "run"), filepath.Join(dir, "step")
	packets := tracetest.Mix(2000)
	for i := range packets {
		packets[i].Time += int64(i) * int64(time.Hour)
	}
	if err := os.WriteFile(trace, tracetest.PCAP(tracetest.PCAPOptions{}, packets...), 0o666); err != nil {
		t.Fatal(err)
	}
	const rules, interval = "manager/testdata/all.srl", "864000"
	ends(t, program(t, "run", "-q", "--name", "127.0.0.1", "-r", rules, "-T", interval, "-F", want, trace))
	port := freePort(t)
	meter := program(t, "meter", "-C", trace, "-T", interval, "-m", port)
	ends(t, program(t, "manager", "-C", "-r", rules, "-m", port, "-F", got, "127.0.0.1"))
	ends(t, meter)
	if a, b := behindFirst(t, want), behindFirst(t, got); a != b {
		t.Errorf("rtfm run writes %d octets, in step it is %d", len(a), len(b))
	}
}

// longTrace makes a trace of many packets, of conversations that come and go in
// four hours. For two and a half of them nothing comes.
func longTrace(n int) []byte {
	r := rand.New(rand.NewPCG(2722, 4))
	packets := make([]traces.Packet, n)
	data := make([]byte, 1400)
	for i := range packets {
		at := time.Duration(int64(90*time.Minute) / int64(n) * int64(i))
		talk := r.IntN(500)
		if r.IntN(4) > 0 {
			talk = 500 + int(at/time.Second) + r.IntN(20)
		}
		ends := [2]string{fmt.Sprintf("10.0.%d.%d", talk>>8, talk&255), fmt.Sprintf("192.0.2.%d", talk%200)}
		ports := [2]int{1024 + talk, []int{53, 80, 123, 443, 5060}[talk%5]}
		if r.IntN(2) == 0 {
			slices.Reverse(ends[:])
			slices.Reverse(ports[:])
		}
		f := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4(ends[0], ends[1])
		if talk%3 > 0 {
			f = f.TCP(ports[0], ports[1], 24)
		} else {
			f = f.UDP(ports[0], ports[1])
		}
		packets[i] = tracetest.Packets(f.Payload(r.IntN(len(data))))[0]
		packets[i].Data = packets[i].Data[:min(len(packets[i].Data), 96)]
		if i >= n/3 {
			at += 150 * time.Minute
		}
		packets[i].Time += int64(at) + r.Int64N(1000)
	}
	return tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, packets...)
}

// TestInStepLong meters a longer trace in step, in which records are recovered
// and used again, by several rulesets at once: with a manager and with a reader
// beside one, in both forms of flow data.
func TestInStepLong(t *testing.T) {
	t.Parallel()
	n, interval := 10_000, "300.005"
	if tracetest.Long() {
		n, interval = 300_000, "60.005"
	}
	dir := t.TempDir()
	trace := filepath.Join(dir, "long.pcap")
	if err := os.WriteFile(trace, longTrace(n), 0o666); err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, name := range []string{"all-flows", "services", "networks"} {
		rules = append(rules, "-r", "ruleset/examples/"+name+".srl")
	}
	port := freePort(t)
	for _, form := range []string{"--json=false", "--json"} {
		want := filepath.Join(dir, "run"+form)
		ends(t, program(t, append([]string{"run", "-q", form, "--name", "127.0.0.1", "-T", interval, "-F", want, trace}, rules...)...))
		compare := func(t *testing.T, got string) {
			t.Helper()
			a, b := strings.SplitAfter(behindFirst(t, want), "\n"), strings.SplitAfter(behindFirst(t, got), "\n")
			for i := range a {
				if i >= len(b) || a[i] != b[i] {
					t.Fatalf("rtfm run writes %d lines, in step there are %d; line %d is\n%snot\n%s", len(a), len(b), i+2, strings.Join(b[i:min(i+1, len(b))], ""), a[i])
				}
			}
			if len(a) != len(b) {
				t.Errorf("rtfm run writes %d lines, in step there are %d", len(a), len(b))
			}
		}
		ways := map[string][]string{"manager": rules}
		if form == "--json" { // whose records do not depend on what else may run
			standby := filepath.Join(dir, "standby.srl")
			if err := os.WriteFile(standby, []byte("save SourcePeerType; count;\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			ways["manager with a standby ruleset"] = append(slices.Clone(rules), "-e", standby)
		}
		for name, rules := range ways {
			t.Run(name+" "+form, func(t *testing.T) {
				got := filepath.Join(t.TempDir(), "step")
				meter := program(t, "meter", "-C", trace, "-T", interval, "-m", port)
				ends(t, program(t, append([]string{"manager", "-C", form, "-m", port, "-F", got, "127.0.0.1"}, rules...)...))
				ends(t, meter)
				compare(t, got)
			})
		}
		for _, how := range []string{"--passive=false", "--passive"} {
			t.Run("reader "+how+" "+form, func(t *testing.T) {
				got := filepath.Join(t.TempDir(), "step")
				meter := program(t, "meter", "-C", trace, "-T", interval, "-m", port)
				runTasks(t, port, rules)
				read := program(t, "reader", "-C", how, form, "-m", port, "-F", got, "127.0.0.1", "writing")
				ends(t, read)
				ends(t, meter)
				compare(t, got)
			})
		}
	}
}

// runTasks has a meter on loopback run rulesets, given as options, all of them
// at once.
func runTasks(t *testing.T, port string, options []string) {
	t.Helper()
	c, err := client.Dial(t.Context(), client.Config{Address: "127.0.0.1:" + port, Community: "writing", Timeout: time.Second, Retries: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var tasks []int
	for i := 1; i < len(options); i += 2 {
		rs, _, err := compile.Load(options[i], nil, srl.Options{})
		if err == nil {
			err = c.PutRuleSet(t.Context(), 2+i/2, "test", rs)
		}
		if err == nil {
			tasks = append(tasks, 1+i/2)
			err = c.CreateManager(t.Context(), 1+i/2, &mib.Manager{CurrentRuleSet: 2 + i/2})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := c.StartManagers(t.Context(), tasks...); err != nil {
		t.Fatal(err)
	}
}
