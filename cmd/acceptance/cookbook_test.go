package acceptance

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

const (
	cookbook      = "docs/COOKBOOK.md"
	providerTrace = "traces/testdata/provider.pcap.gz"
)

// recipe returns the last command that the cookbook gives for a question.
func recipe(t *testing.T, question string) string {
	t.Helper()
	text, err := os.ReadFile(cookbook)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^### ` + regexp.QuoteMeta(question) + "\n\n```.*\n((?:.*\n)*?)```").FindStringSubmatch(string(text))
	if m == nil {
		t.Fatalf("%s does not ask %q", cookbook, question)
	}
	commands := regexp.MustCompile(`(?m)^[$#] (rtfm .*)$`).FindAllStringSubmatch(m[1], -1)
	if len(commands) == 0 {
		t.Fatalf("%s has no command for %q", cookbook, question)
	}
	return commands[len(commands)-1][1]
}

// limit matches what leaves the smaller rows of a table out.
var limit = regexp.MustCompile(` (--top|-n) \d+`)

// cook runs the command for a question, with all rows and more options, and returns
// what it prints, in a folder that has the cookbook's files.
func cook(t *testing.T, question, options string) string {
	t.Helper()
	dir := likeRoot(t)
	for _, name := range []string{providerTrace, "traces/testdata/customers.csv"} {
		if err := os.Link(name, filepath.Join(dir, filepath.Base(name))); err != nil {
			t.Fatal(err)
		}
	}
	var errs bytes.Buffer
	day := "run -q -r @flows -T 1m --align utc -F " + dir + "/day.flows " + providerTrace
	if status := runMain(strings.Fields(day), nil, &errs, &errs); status != 0 {
		t.Fatal(errs.String())
	}
	shell := exec.Command("sh", "-c", limit.ReplaceAllString(recipe(t, question), "")+" "+options)
	shell.Dir, shell.Stderr = dir, &errs
	out, err := shell.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", question, err, errs.String())
	}
	return string(out)
}

// cookRows returns the rows that the command for a question prints as CSV.
func cookRows(t *testing.T, question string) []map[string]string {
	t.Helper()
	options := "--csv"
	if strings.Contains(recipe(t, question), "--by") {
		options += " --numeric" // sums have names of ports there
	}
	return csvRows(t, cook(t, question, options))
}

// csvRows returns the rows of CSV by the names of their columns.
func csvRows(t *testing.T, text string) (rows []map[string]string) {
	t.Helper()
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = cells[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// number returns a row's number, 0 if it has none there.
func number(t *testing.T, row map[string]string, name string) int {
	t.Helper()
	if _, known := row[name]; !known {
		t.Fatalf("no column %s", name)
	}
	n, err := strconv.Atoi(cmp0(row[name]))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// cmp0 returns 0 for an empty text.
func cmp0(text string) string {
	if text == "" {
		return "0"
	}
	return text
}

// A dissected packet is what tshark finds in one. Of what tunnels carry it has nothing.
type dissected struct {
	time               float64 // seconds since 1970
	octets, captured   int
	family, protocol   int
	from, to           string
	fromPort, toPort   int
	vlan, dscp         string
	stream, flags      string // of TCP
	answered           float64
	answer, isQuestion bool // of DNS
}

// dissect has tshark look at all packets of the provider's trace.
func dissect(t *testing.T) (all []dissected) {
	t.Helper()
	tshark := tracetest.Require(t, "tshark")
	args := []string{"-n", "-r", providerTrace, "-T", "fields", "-E", "occurrence=f", "-E", "separator=,"}
	fields := []string{"frame.time_epoch", "frame.len", "frame.cap_len", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "ip.proto", "ipv6.nxt",
		"tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport", "vlan.id", "ip.dsfield.dscp", "ipv6.tclass.dscp", "tcp.stream", "tcp.flags",
		"dns.flags.response", "dns.time"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	out, err := exec.Command(tshark, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		at := map[string]string{}
		for i, f := range fields {
			at[f] = line[i]
		}
		integer := func(name string) int { return number(t, at, name) }
		p := dissected{octets: integer("frame.len"), captured: integer("frame.cap_len"), vlan: cmp0(at["vlan.id"]), stream: at["tcp.stream"], flags: at["tcp.flags"]}
		p.time, _ = strconv.ParseFloat(at["frame.time_epoch"], 64)
		p.family, p.protocol, p.from, p.to, p.dscp = 1, integer("ip.proto"), at["ip.src"], at["ip.dst"], at["ip.dsfield.dscp"]
		if p.from == "" {
			p.family, p.protocol, p.from, p.to, p.dscp = 2, integer("ipv6.nxt"), at["ipv6.src"], at["ipv6.dst"], at["ipv6.tclass.dscp"]
		}
		switch p.protocol {
		case 6:
			p.fromPort, p.toPort = integer("tcp.srcport"), integer("tcp.dstport")
		case 17:
			p.fromPort, p.toPort = integer("udp.srcport"), integer("udp.dstport")
		}
		p.isQuestion = at["dns.flags.response"] != ""
		if at["dns.time"] != "" {
			p.answer = true
			p.answered, _ = strconv.ParseFloat(at["dns.time"], 64)
		}
		all = append(all, p)
	}
	if len(all) != 4161 {
		t.Fatalf("tshark finds %d packets", len(all))
	}
	return all
}

// isTrue compares sums with those of tshark.
func isTrue(t *testing.T, question string, got, want map[string]int) {
	t.Helper()
	maps.DeleteFunc(got, func(_ string, n int) bool { return n == 0 })
	if len(want) < 2 || !maps.Equal(got, want) {
		t.Errorf("%s\n%v, tshark has\n%v", question, got, want)
	}
}

// TestCookbook compares the numbers of the cookbook's answers with those that tshark
// finds in the trace.
func TestCookbook(t *testing.T) {
	t.Parallel()
	packets := dissect(t)

	// sums compares the sum of columns by a row's key with the octets of packets by
	// theirs.
	sums := func(question string, rowKey func(row map[string]string) string, columns []string, packetKeys func(p dissected) []string) {
		t.Helper()
		got, want := map[string]int{}, map[string]int{}
		for _, row := range cookRows(t, question) {
			for _, c := range columns {
				got[rowKey(row)] += number(t, row, c)
			}
		}
		for _, p := range packets {
			for _, key := range packetKeys(p) {
				want[key] += p.octets
			}
		}
		isTrue(t, question, got, want)
	}
	columns := func(names ...string) func(map[string]string) string {
		return func(row map[string]string) string {
			var values []string
			for _, n := range names {
				values = append(values, cmp0(row[n]))
			}
			return strings.Join(values, " ")
		}
	}
	both := []string{"ToOctets", "FromOctets"}

	sums("Who are the top talkers?", columns("Host"), []string{"Octets"}, func(p dissected) []string { return []string{p.from, p.to} })
	sums("Who are the top talkers?", columns("Host"), []string{"SentOctets"}, func(p dissected) []string { return []string{p.from} })
	sums("Which ports and services are used?", columns("SourcePeerType", "SourceTransType", "DestTransAddress"), both,
		func(p dissected) []string {
			return []string{fmt.Sprint(p.family, " ", p.protocol, " ", servicePort(p.fromPort, p.toPort))}
		})
	customer := customers(t)
	sums("How much has each customer used?", columns("Host"), []string{"SentOctets"}, func(p dissected) []string { return []string{customer(p.from)} })
	sums("How much has each customer used?", columns("Host"), []string{"ReceivedOctets"}, func(p dissected) []string { return []string{customer(p.to)} })
	sums("Who talks to this host, and what about?", columns("DestPeerAddress", "DestTransAddress"), []string{"Octets"},
		func(p dissected) []string {
			const host = "10.1.4.9"
			switch {
			case p.from == host:
				return []string{fmt.Sprint(p.to, " ", p.toPort)}
			case p.to == host:
				return []string{fmt.Sprint(p.from, " ", p.fromPort)}
			}
			return nil
		})
	sums("How much is IPv6, every five minutes?", columns("IntervalEndNs", "SourcePeerType"), []string{"DeltaToOctets"},
		func(p dissected) []string {
			end := fmt.Sprintf("%d000000000", (int(p.time)/300+1)*300)
			if last := packets[len(packets)-1].time; int(last)/300 == int(p.time)/300 {
				end = fmt.Sprintf("%.0f000", last*1e6)
			}
			return []string{fmt.Sprint(end, " ", p.family)}
		})
	sums("How much does each VLAN carry?", columns("VLANid"), both, func(p dissected) []string { return []string{p.vlan} })
	sums("Is voice marked as it should be?", columns("SourcePeerType", "DSCodePoint"), both, func(p dissected) []string { return []string{fmt.Sprint(p.family, " ", p.dscp)} })

	t.Run("SQL", func(t *testing.T) { tableIsTrue(t, packets) })
	ratesAreTrue(t, packets)
}

// tableIsTrue compares the octets of ports that a database tells with tshark's.
func tableIsTrue(t *testing.T, packets []dissected) {
	t.Helper()
	tracetest.Require(t, "sqlite3")
	const question = "How do I get at it with SQL, pandas or DuckDB?"
	got, want := map[string]int{}, map[string]int{}
	for line := range strings.Lines(cook(t, question, "")) {
		cells := strings.Split(strings.TrimSpace(line), ",")
		got[cells[0]], _ = strconv.Atoi(cells[2])
	}
	for _, p := range packets {
		if port := strconv.Itoa(servicePort(p.fromPort, p.toPort)); got[port] != 0 {
			want[port] += p.octets
		}
	}
	isTrue(t, question, got, want)
}

// servicePort returns the port of the server, as @services has it; 0 if it is not
// told by the ports that this trace has.
func servicePort(from, to int) int {
	for _, isServer := range []func(port int) bool{
		func(port int) bool { return port > 0 && port < 1024 || port == 5060 },
		func(port int) bool { return port > 0 && port < 32768 },
	} {
		switch a, b := isServer(from), isServer(to); {
		case b && (!a || to < 1024 || to == from):
			return to
		case a && !b:
			return from
		case a && b:
			return 0
		}
	}
	return 0
}

// customers returns a function that tells whose an address is, 0 if nobody's.
func customers(t *testing.T) func(address string) string {
	t.Helper()
	text, err := os.ReadFile("traces/testdata/customers.csv")
	if err != nil {
		t.Fatal(err)
	}
	return func(address string) string {
		a := netip.MustParseAddr(address)
		for line := range strings.Lines(string(text)) {
			network, name, _ := strings.Cut(strings.TrimSpace(line), ",")
			if netip.MustParsePrefix(network).Contains(a) {
				return name
			}
		}
		return "0"
	}
}

// ratesAreTrue compares bits a second by the minute with those of tshark's packets.
func ratesAreTrue(t *testing.T, packets []dissected) {
	t.Helper()
	const question = "How many bits a second, minute by minute?"
	rows := cookRows(t, question)
	from := packets[0].time
	for _, row := range rows {
		nanoseconds, err := strconv.ParseInt(row["IntervalEndNs"], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		to := float64(nanoseconds) / 1e9
		isLast := to > packets[len(packets)-1].time-1
		want := map[string]float64{}
		for _, p := range packets {
			if p.time < from || p.time >= to && !isLast {
				continue
			}
			want["all"] += float64(p.octets)
			for _, port := range []int{p.fromPort, p.toPort} {
				if port == 80 || port == 443 {
					want["web"] += float64(p.octets)
				}
			}
		}
		for name, octets := range want {
			got, err := strconv.ParseFloat(row[name], 64)
			if rate := octets * 8 / (to - from); err != nil || math.Abs(got-rate) > 0.002 {
				t.Errorf("%s to %s: %s: %v (%v), tshark has %v", question, row["IntervalEndNs"], name, got, err, rate)
			}
		}
		from = to
	}
	if len(rows) != 13 {
		t.Errorf("%d rows", len(rows))
	}
}

// TestCookbookTimes compares response times with those of tshark: their number is the
// same, and so are median and mean but for the width of a bucket.
func TestCookbookTimes(t *testing.T) {
	t.Parallel()
	names, handshakes, asked := map[string][]float64{}, map[string][]float64{}, map[string]int{}
	begun := map[string]float64{}
	for _, p := range dissect(t) {
		switch {
		case p.answer:
			names[p.from] = append(names[p.from], p.answered)
		case p.isQuestion:
			asked[p.to]++
		case strings.HasSuffix(p.flags, "002"):
			begun[p.stream] = p.time
		case strings.HasSuffix(p.flags, "012"):
			server := fmt.Sprint(p.from, " ", p.fromPort)
			handshakes[server] = append(handshakes[server], p.time-begun[p.stream])
		}
	}
	timesAreTrue(t, "How fast do the name servers answer?", names, asked)
	timesAreTrue(t, "How far away are the TCP servers?", handshakes, nil)
}

// timesAreTrue compares the response times of servers. Questions that were asked and
// not answered are lost.
func timesAreTrue(t *testing.T, question string, want map[string][]float64, asked map[string]int) {
	t.Helper()
	type distribution struct {
		Count, P50 int
		Mean       float64
		Counters   []int
	}
	n := 0
	for lines := json.NewDecoder(strings.NewReader(cook(t, question, "--json"))); lines.More(); {
		var f struct {
			Record, DestPeerAddress       string
			DestTransAddress              int
			ToTurnaroundTime1, ToLostPDUs distribution
		}
		if err := lines.Decode(&f); err != nil {
			t.Fatal(err)
		}
		server := f.DestPeerAddress
		if asked == nil {
			server = fmt.Sprint(server, " ", f.DestTransAddress)
		}
		times := want[server]
		if f.Record != "flow" || f.ToTurnaroundTime1.Count == 0 && len(times) == 0 {
			continue
		}
		n++
		got, mean := f.ToTurnaroundTime1, 0.0
		slices.Sort(times)
		for _, s := range times {
			mean += s * 1e6 / float64(len(times))
		}
		median := times[(len(times)-1)/2] * 1e6
		if p50 := float64(got.P50); got.Count != len(times) || p50 < median || p50 > 1.13*median || math.Abs(got.Mean-mean) > 0.06*mean {
			t.Errorf("%s: %s: %+v, tshark has %d, median %.0f, mean %.1f", question, server, got, len(times), median, mean)
		}
		if asked == nil {
			continue
		}
		// Each question is a stream of its own, so that none or 1 of it is lost.
		if lost := f.ToLostPDUs.Counters; lost[0] != len(times) || lost[1] != asked[server]-len(times) || lost[2] != 0 {
			t.Errorf("%s: %s: %v lost of %d, tshark has %d answers", question, server, lost, asked[server], len(times))
		}
	}
	if n != len(want) || n < 2 {
		t.Errorf("%s: %d servers, tshark has %d", question, n, len(want))
	}
}

// TestPictures draws the documents' pictures anew, by those of their commands that name
// the files of one. With RTFM_UPDATE set in the environment they are written.
func TestPictures(t *testing.T) {
	t.Parallel()
	for path, document := range map[string]string{"docs/services.svg": "README.md", "docs/seconds.svg": cookbook} {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		dir := likeRoot(t)
		if err := os.Symlink(filepath.Join(dir, providerTrace), filepath.Join(dir, filepath.Base(providerTrace))); err != nil {
			t.Fatal(err)
		}
		named := strings.TrimSuffix(filepath.Base(path), "svg")
		for _, c := range docCommands(string(text)) {
			if !strings.HasPrefix(asInstalled(c.line), "rtfm ") || !strings.Contains(c.line, named) {
				continue
			}
			shell := exec.Command("sh", "-c", asInstalled(c.line))
			shell.Dir = dir
			if out, err := shell.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", c.line, err, out)
			}
		}
		got, err := os.ReadFile(filepath.Join(dir, filepath.Base(path)))
		if err != nil {
			t.Fatal(err)
		}
		if os.Getenv("RTFM_UPDATE") != "" {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the commands of %s draw (%v)", path, document, err)
		}
	}
}
