package acceptance

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"text/tabwriter"

	"golang.org/x/sys/unix"

	"rtfm/traces/tracetest"
)

// TestAngel repeats what "Evaluating The Performance of ANGEL Flow Meter" (CAIA Technical
// Report 070228G) did with its meter, and prints its figures beside rtfm's. The sender and
// the kernel's receiving have the first processor, which the receiver of a feed shares, and
// the meter has the second one. Meter and receiver go before other programs of the machine
// (SCHED_FIFO), so that little of these is measured. That no packet goes without being
// counted, as metered or as lost, is tested; how many are lost is not.
//
//	RTFM_ANGEL  "short", or "long" for as many packets and repeats as the report has,
//	            which takes more than an hour; without it the test is skipped
func TestAngel(t *testing.T) {
	form := os.Getenv("RTFM_ANGEL")
	switch {
	case form == "":
		t.Skip("RTFM_ANGEL is not set")
	case form != "short" && form != "long":
		t.Fatalf("RTFM_ANGEL=%s: want short or long", form)
	case runtime.NumCPU() < 2:
		t.Skip("needs two processors")
	}
	useProcessor(t, 0)
	fmt.Printf("\nrtfm beside the ANGEL flow meter (CAIA Technical Report 070228G, FreeBSD 6.1 on a Pentium 4 of 3 GHz)\n%s\n", machine())
	// How often, packets at each rate at least, and seconds of the report's hosts and of new flows.
	repeats, packets, ofHosts, ofFlows := 1, 0, 3, 5
	hosts := []int{1, 5, 10, 15, 20, 30, 40, 50}
	if form == "long" {
		repeats, packets, ofHosts, ofFlows = 3, 200_000, 25, 10
		hosts = []int{1, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50}
	}
	t.Run("rates", func(t *testing.T) {
		a := newAngelTest(t, "pps", repeats)
		for _, rate := range []int{1000, 5000, 10_000, 15_000, 20_000, 25_000, 30_000, 35_000, 40_000, 45_000, 50_000, 100_000, 200_000, 500_000, 1_000_000} {
			a.measure(tracetest.Blast{Hosts: 1, Ports: 1, Rate: rate}, max(packets, 3*rate), fmt.Sprint(rate), theirLoss(rate, 12.89, 38.11, 50, 50_000))
		}
		a.measure(tracetest.Blast{Hosts: 1, Ports: 1}, 5_000_000, "most", "-")
		a.print("A. Packets of 64 octets and one flow (report III A, figures 3 to 10)")
	})
	t.Run("hosts", func(t *testing.T) {
		a := newAngelTest(t, "hosts, pps", repeats)
		for _, n := range hosts {
			rate := 2000 * n
			a.measure(tracetest.Blast{Hosts: n, Ports: 50, Rate: rate}, ofHosts*rate, fmt.Sprintf("%d, %d", n, rate), theirLoss(rate, 15.33, 44.30, 80, 100_000))
		}
		a.print("B. The report's flows a second (III B, figures 11 to 17): packets of 50 flows of each host in turn, so 2,500 flows at most")
	})
	t.Run("flows", func(t *testing.T) {
		a := newAngelTest(t, "new flows/s", repeats)
		for _, rate := range []int{20_000, 50_000, 100_000, 200_000, 300_000} {
			a.measure(tracetest.Blast{Hosts: 1000, Ports: 60_000, Rate: rate}, ofFlows*rate, fmt.Sprint(rate), "-")
		}
		a.print("B'. New flows a second: each packet is the first one of a flow")
	})
	fmt.Printf(`
theirs       of their report: packets lost before the meter; their cost is that of a Pentium 4 of 3 GHz
arrived      at the interface, as the kernel counts
kernel lost  by the ring, since the meter was late
metered      as rtfm's own summary says, in so many flows
PACKETs      that a receiver in a third namespace has had over UDP, and the flows whose END it has had
missing      what it knows to be missing by sequence numbers and each flow's END
ours         lost of the packets sent: not metered, or with a feed not received
ns/packet    processor time of the meter's process, its exporter included; in the kernel, for a feed, that
             takes each datagram all the way to the receiver's socket

%s
`, machine())
}

// theirLoss returns the report's figure of packets lost at a rate, of those that it tells:
// at 30,000 and 40,000 packets/s, and more than so many percent at the highest rate.
func theirLoss(rate int, at30, at40, above float64, highest int) string {
	switch {
	case rate <= 20_000 || rate == 25_000 && highest == 50_000:
		return "0 %"
	case rate == 30_000:
		return fmt.Sprintf("%.2f %%", at30)
	case rate == 40_000:
		return fmt.Sprintf("%.2f %%", at40)
	case rate == highest:
		return fmt.Sprintf("> %.0f %%", above)
	}
	return "-"
}

// machine tells what the figures are of.
func machine() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	model := regexp.MustCompile(`(?m)^model name\s*: (.*)$`).FindSubmatch(info)
	if model == nil {
		model = [][]byte{nil, []byte(runtime.GOARCH)}
	}
	var name unix.Utsname
	unix.Uname(&name)
	load, _ := os.ReadFile("/proc/loadavg")
	return fmt.Sprintf("%s, %d processors, Linux %s, load average %s", model[1], runtime.NumCPU(),
		unix.ByteSliceToString(name.Release[:]), strings.Join(strings.Fields(string(load))[:3], " "))
}

// angelTest is a table of the report.
type angelTest struct {
	t       *testing.T
	head    string // of the first column
	repeats int
	to      *feedNetwork
	rows    []angelRow
}

// angelRow is what came of runs that differ in nothing, without a feed and with one.
type angelRow struct {
	name, theirs string
	plain, fed   []angelRun
}

// newAngelTest returns a table without rows, and moves the test to a namespace of its own.
func newAngelTest(t *testing.T, head string, repeats int) *angelTest {
	t.Helper()
	tracetest.Network(t)
	return &angelTest{t, head, repeats, newFeedNetwork(t), nil}
}

// measure adds a row.
func (a *angelTest) measure(b tracetest.Blast, n int, name, theirs string) {
	a.t.Helper()
	row := angelRow{name: name, theirs: theirs}
	for range a.repeats {
		row.plain = append(row.plain, meterBlast(a.t, b, n, nil))
		row.fed = append(row.fed, meterBlast(a.t, b, n, a.to))
	}
	a.rows = append(a.rows, row)
}

// print prints the rows.
func (a *angelTest) print(title string) {
	fmt.Printf("\n%s\n\n", title)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s\tfeed\tpps sent\tsent\tarrived\tkernel lost\tmetered\tflows\tPACKETs\tflows ended\tmissing\ttheirs lost\tours\t\n", a.head)
	for _, row := range a.rows {
		for i, r := range append(row.plain, row.fed...) {
			feed, came, last := "-", "-\t-\t-", r.metered
			if i >= len(row.plain) {
				feed, last = "yes", r.packets
				if came = fmt.Sprintf("%d\t%d\tnothing", r.packets, r.ended); !r.whole {
					came = fmt.Sprintf("%d\t%d\tsome", r.packets, r.ended)
				}
			}
			fmt.Fprintf(w, "%s\t%s\t%.0f\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%.4g %%\t\n", row.name, feed, float64(r.sent)/r.took.Seconds(),
				r.sent, r.arrived, r.lost, r.metered, r.flows, came, row.theirs, 100*float64(r.sent-last)/float64(r.sent))
		}
	}
	w.Flush()
	fmt.Print("\nThe meter's processor time, % of one processor, and its memory, MB, each half second (theirs: median below 20 % for\n" +
		"capture and below 10 % for processing up to 50,000 pps, memory within 5 MB)\n\n")
	fmt.Fprintf(w, "%s\tfeed\tleast\tquartile\tmedian\tquartile\tmost\tns/packet\tin the kernel\tmemory before\tmedian\tmost\tgrowth\t\n", a.head)
	for _, row := range a.rows {
		printUsage(w, row.name+"\t-", row.plain)
		printUsage(w, row.name+"\tyes", row.fed)
	}
	w.Flush()
}

// printUsage prints a row of processor time and memory.
func printUsage(w io.Writer, head string, runs []angelRun) {
	var cpu, memory []float64
	ns, kernel, idle := 0.0, 0.0, runs[0].idle
	for _, r := range runs {
		cpu, memory, idle = append(cpu, r.cpu...), append(memory, r.memory...), min(idle, r.idle)
		each := float64(r.busy.Nanoseconds()) / float64(r.sent) / float64(len(runs))
		ns, kernel = ns+each, kernel+each*r.kernel
	}
	c, m := quartiles(cpu), quartiles(memory)
	fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.0f\t%.0f\t%.1f\t%.1f\t%.1f\t%.1f\t\n", head, c[0], c[1], c[2], c[3], c[4], ns, kernel, idle, m[2], m[4], m[4]-idle)
}
