package acceptance

import (
	"fmt"
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
// the kernel's receiving have the first processor, the meter has the second one. That no
// packet goes without being counted, as metered or as lost, is tested; how many are lost
// is not.
//
//	RTFM_ANGEL  "short", or "long" for as many packets and repeats as the report has,
//	            which takes an hour; without it the test is skipped
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
	repeats, packets, ofHosts, ofFlows := 1, 0, 4, 5
	if form == "long" {
		repeats, packets, ofHosts, ofFlows = 3, 200_000, 25, 10
	}
	var rates, hosts, fresh angelTest
	t.Run("rates", func(t *testing.T) {
		tracetest.Network(t)
		rates = angelTest{head: "pps"}
		for _, rate := range []int{1000, 5000, 10_000, 15_000, 20_000, 25_000, 30_000, 35_000, 40_000, 45_000, 50_000, 100_000, 200_000, 500_000, 1_000_000} {
			rates.measure(t, tracetest.Blast{Hosts: 1, Ports: 1, Rate: rate}, max(packets, 4*rate), repeats, fmt.Sprint(rate), theirLoss(rate, 12.89, 38.11, 50, 50_000))
		}
		rates.measure(t, tracetest.Blast{Hosts: 1, Ports: 1}, 8_000_000, repeats, "most", "-")
		rates.print("A. Packets of 64 octets and one flow (report III A, figures 3 to 10)")
	})
	t.Run("hosts", func(t *testing.T) {
		tracetest.Network(t)
		hosts = angelTest{head: "hosts, pps"}
		for _, n := range []int{1, 5, 10, 15, 20, 25, 30, 35, 40, 45, 50} {
			rate := 2000 * n
			hosts.measure(t, tracetest.Blast{Hosts: n, Ports: 50, Rate: rate}, ofHosts*rate, repeats, fmt.Sprintf("%d, %d", n, rate), theirLoss(rate, 15.33, 44.30, 80, 100_000))
		}
		hosts.print("B. The report's flows a second (III B, figures 11 to 17): packets of 50 flows of each host in turn, so 2,500 flows at most")
	})
	t.Run("flows", func(t *testing.T) {
		tracetest.Network(t)
		fresh = angelTest{head: "new flows/s"}
		for _, rate := range []int{20_000, 50_000, 100_000, 200_000, 300_000} {
			fresh.measure(t, tracetest.Blast{Hosts: 1000, Ports: 60_000, Rate: rate}, ofFlows*rate, repeats, fmt.Sprint(rate), "-")
		}
		fresh.print("B'. New flows a second: each packet is the first one of a flow")
	})
	fmt.Printf("\n%s\n", machine())
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
	head string // of the first column
	rows []angelRow
}

// angelRow is what came of runs that differ in nothing.
type angelRow struct {
	name, theirs string
	runs         []angelRun
}

// measure adds a row.
func (a *angelTest) measure(t *testing.T, b tracetest.Blast, n, repeats int, name, theirs string) {
	t.Helper()
	row := angelRow{name: name, theirs: theirs}
	for range repeats {
		row.runs = append(row.runs, meterBlast(t, b, n))
	}
	a.rows = append(a.rows, row)
}

// print prints the rows.
func (a *angelTest) print(title string) {
	fmt.Printf("\n%s\n\n", title)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "%s\tpps sent\tsent\tarrived\tkernel lost\tmetered\tflows\ttheirs lost\tours\t\n", a.head)
	for _, row := range a.rows {
		for _, r := range row.runs {
			fmt.Fprintf(w, "%s\t%.0f\t%d\t%d\t%d\t%d\t%d\t%s\t%.4g %%\t\n", row.name, float64(r.sent)/r.took.Seconds(),
				r.sent, r.arrived, r.lost, r.metered, r.flows, row.theirs, 100*float64(r.sent-r.metered)/float64(r.sent))
		}
	}
	w.Flush()
	fmt.Print("\nThe meter's processor time, % of one processor, and its memory, MB, each half second (theirs: median below 20 % for\n" +
		"capture and below 10 % for processing up to 50,000 pps, memory within 5 MB)\n\n")
	fmt.Fprintf(w, "%s\tleast\tquartile\tmedian\tquartile\tmost\tns/packet\tmemory before\tmedian\tmost\tgrowth\t\n", a.head)
	for _, row := range a.rows {
		var cpu, memory []float64
		ns, idle := 0.0, row.runs[0].idle
		for _, r := range row.runs {
			cpu, memory, idle = append(cpu, r.cpu...), append(memory, r.memory...), min(idle, r.idle)
			ns += float64(r.busy.Nanoseconds()) / float64(r.sent) / float64(len(row.runs))
		}
		c, m := quartiles(cpu), quartiles(memory)
		fmt.Fprintf(w, "%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.0f\t%.1f\t%.1f\t%.1f\t%.1f\t\n", row.name, c[0], c[1], c[2], c[3], c[4], ns, idle, m[2], m[4], m[4]-idle)
	}
	w.Flush()
}
