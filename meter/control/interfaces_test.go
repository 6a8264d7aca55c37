package control

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"rtfm/meter"
	"rtfm/mib"
	"rtfm/ruleset/filter"
	"rtfm/ruleset/pme"
	"rtfm/traces"
)

// TestSampledOut meters one of three packets, and one of three flow records.
func TestSampledOut(t *testing.T) {
	r := newRig(t, Config{Config: meter.Config{MaxFlows: 1000}})
	r.set(pairs(2) + runTask(1, 2, 0, 0) + "flowInterfaceSampleRate.1=3")
	r.feed(many(0, 200, 0)...)
	r.feed(many(0, 100, 1)...)
	metered, out := r.get("rtfmPacketsMetered.0"), r.get("rtfmPacketsSampledOut.0")
	if metered+out != 300 || metered < 50 || metered > 150 || r.get("rtfmInterfacePackets.1") != 300 || r.get("rtfmRuleSetPackets.2") != metered {
		t.Errorf("%d packets are metered, %d sampled out, of 300", metered, out)
	}
}

// TestFiltered meters what passes a filter, by a task that comes later too.
func TestFiltered(t *testing.T) {
	rs, _, err := filter.Compile("dst host 10.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	only, err := pme.Compile(rs, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, Config{Config: meter.Config{MaxFlows: 1000, Filter: only}})
	r.feed(slices.Repeat([]traces.Packet{to(1, 0), to(2, 0)}, 50)...)
	r.set(pairs(2) + runTask(1, 2, 0, 0))
	r.feed(slices.Repeat([]traces.Packet{to(2, 1), to(1, 1), to(2, 1)}, 50)...)
	r.want("metered", r.get("rtfmPacketsMetered.0"), 100)
	r.want("left out", r.get("rtfmPacketsFiltered.0"), 150)
	r.want("of the ruleset", r.get("rtfmRuleSetPackets.2"), 50)
	r.want("of the interface", r.get("rtfmInterfacePackets.1"), 250)
}

// TestSampling counts what sampling lets pass.
func TestSampling(t *testing.T) {
	r := newRig(t, Config{})
	r.set(pairs(2) + runTask(1, 2, 0, 0))
	packets := slices.Repeat([]traces.Packet{to(1, 0)}, 200)
	other := to(2, 0)
	other.Interface = 3
	n := 0
	feed := func(rate int) int64 {
		r.set(fmt.Sprintf("flowInterfaceSampleRate.1=%d", rate))
		before := r.get("rtfmPacketsMetered.0")
		for range 50 {
			r.feed(append(packets, other)...)
		}
		n += 10_000
		r.want("packets of the interface", r.get("rtfmInterfacePackets.1"), n)
		return r.get("rtfmPacketsMetered.0") - before - 50
	}
	r.want("all", feed(1), 10_000)
	r.want("none", feed(0), 0)
	r.want("interface 3", r.get("flowDataToPDUs.2.0.2"), 100)
	for _, rate := range []int{2, 10, 100} {
		// Five standard deviations of a binomial distribution.
		p := 1 / float64(rate)
		mean, far := 10_000*p, 5*math.Sqrt(10_000*p*(1-p))
		if got := feed(rate); math.Abs(float64(got)-mean) > far {
			t.Errorf("1 in %d: %d of 10000 packets, want %.0f with at most %.0f more or less", rate, got, mean, far)
		}
	}
	r.want("all again", feed(1), 10_000)
	r.want("rate of interface 3", r.get("flowInterfaceSampleRate.3"), 1)
}

// TestLost has a source that loses packets at two interfaces.
func TestLost(t *testing.T) {
	r := newRig(t, Config{})
	lose := func(first, third uint64) {
		r.src.stats = traces.Stats{Lost: first + third, PerInterface: []traces.InterfaceStats{{Number: 1, Lost: first}, {Number: 3, Lost: third}}}
	}
	<-r.src.waiting
	lose(5, 0)
	r.src.batches <- []traces.Packet{to(1, 0), to(1, 1)}
	<-r.src.waiting
	r.want("lost", []int64{r.get("rtfmPacketsLost.0"), r.get("flowInterfaceLostPackets.1"), r.get("rtfmInterfaceLost.1"), r.get("flowInterfaceLostPackets.3")}, []int64{5, 5, 5, 0})
	lose(9, 1)
	r.src.batches <- []traces.Packet{to(1, 2)}
	<-r.src.waiting
	r.want("lost later", []int64{r.get("rtfmPacketsLost.0"), r.get("flowInterfaceLostPackets.1"), r.get("flowInterfaceLostPackets.3")}, []int64{10, 9, 1})
	r.src.batches <- []traces.Packet{to(1, 62)}
	<-r.src.waiting
	r.src.waiting <- struct{}{}
	want := []mib.Notification{
		{Kind: mib.MeterStarted, Identity: r.m.Identity()}, {Kind: mib.PacketsLost, Index: 1, Count: 5},
		{Kind: mib.PacketsLost, Index: 3, Count: 1}, {Kind: mib.PacketsLost, Index: 1, Count: 9},
	}
	if !slices.Equal(r.told, want) {
		t.Errorf("told %+v, want %+v", r.told, want)
	}
}

// TestInterfaceReturns has an interface come back under another number, as one
// does that was deleted and made again: it is sampled as before.
func TestInterfaceReturns(t *testing.T) {
	r := newRig(t, Config{Live: true})
	<-r.src.waiting
	r.src.stats.PerInterface = []traces.InterfaceStats{{Number: 4, Name: "eth0"}, {Number: 5, Name: "eth1"}}
	r.src.batches <- nil
	<-r.src.waiting
	r.src.waiting <- struct{}{}
	if rows := r.m.Control().Interfaces.Len(); rows != 2 {
		t.Errorf("%d interfaces, want 2: those of the source", rows)
	}
	r.set("flowInterfaceSampleRate.4=0")
	<-r.src.waiting
	r.src.stats.PerInterface = append(slices.Clone(r.src.stats.PerInterface), traces.InterfaceStats{Number: 9, Name: "eth0"})
	r.src.batches <- nil
	<-r.src.waiting
	r.src.waiting <- struct{}{}
	r.want("rates", []int64{r.get("flowInterfaceSampleRate.5"), r.get("flowInterfaceSampleRate.9")}, []int64{1, 0})
}
