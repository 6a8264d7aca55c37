package manager

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestManyMeters has one manager collect from many meters at the same times,
// whatever becomes of some that are dead.
func TestManyMeters(t *testing.T) {
	r := scale(t, 40, 100, 2, time.Second)
	for _, m := range r.meters {
		waitForCollections(t, m.Output, 4) // the first is made when a task begins
	}
	r.wait(`"collection made"`, 3*len(r.meters))
	late := r.check(t, 3)
	t.Logf("the latest collection was complete %v after it was due", late)
	if late > 2*time.Second {
		t.Errorf("a collection was complete %v after it was due", late)
	}
}

// BenchmarkManyMeters has one manager collect from 1,000 meters with 1,000
// flows each every 60 seconds: for five minutes, whatever b.N is. The meters
// are another process's.
func BenchmarkManyMeters(b *testing.B) {
	r := scale(b, 1000, 1000, 5, time.Minute)
	time.Sleep(time.Until(time.Now().Truncate(time.Minute).Add(time.Minute + 50*time.Second)))
	var before, after syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &before); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	const minutes = 4
	time.Sleep(minutes * time.Minute)
	b.StopTimer()
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &after); err != nil {
		b.Fatal(err)
	}
	cpu := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	b.ReportMetric(cpu.Seconds()/minutes, "CPU-s/interval")
	b.ReportMetric(float64(after.Maxrss)/1024, "MiB-peak")
	b.ReportMetric(r.check(b, minutes).Seconds(), "latest-s")
}

// scaled is a manager of simulated meters.
type scaled struct {
	*runningManager
	meters   []*Meter
	flows    int
	interval time.Duration
}

// scale manages simulated meters, and besides some that do not answer.
func scale(t testing.TB, meters, flows, dead int, interval time.Duration) *scaled {
	dir := t.TempDir()
	s := &scaled{flows: flows, interval: interval}
	rules := loadRules(t, "all.srl")
	add := func(name, address string) *Meter {
		m := Defaults()
		m.Name, m.Address, m.Owner, m.Interval = name, address, "scale", interval
		m.SNMP.Community = NewSecret("w")
		m.Output = filepath.Join(dir, name+".flows")
		m.Tasks = []Task{{RuleSet: rules}}
		return &m
	}
	for i, address := range startSimulated(t, meters, flows) {
		s.meters = append(s.meters, add(fmt.Sprint("meter", i), address))
	}
	all := s.meters
	for i := range dead {
		l := startMeter(t, "", 10)
		l.silent.setDeaf(true)
		m := add(fmt.Sprint("dead", i), l.address)
		m.SNMP.Timeout = time.Hour // who waits for it waits for long
		all = append(all, m)
	}
	s.runningManager = startManager(t, Options{Grace: 5 * time.Second}, all...)
	for until := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if strings.Count(s.log.String(), "task started") == meters {
			return s
		}
		if time.Now().After(until) {
			t.Fatal("not all meters are managed")
		}
	}
}

// check ends the manager, wants collections of all flows from each meter, and
// returns how late the latest one was complete.
func (s *scaled) check(t testing.TB, collections int) (late time.Duration) {
	t.Helper()
	text := s.log.String()
	s.cancel()
	<-s.done // it tells of the dead meters
	made := 0
	for _, found := range regexp.MustCompile(`"collection made" .*late=(\S+)`).FindAllStringSubmatch(text, -1) {
		d, err := time.ParseDuration(found[1])
		if err != nil {
			t.Fatal(err)
		}
		late = max(late, d)
		made++
	}
	if made < collections*len(s.meters) {
		t.Errorf("%d collections from %d meters", made, len(s.meters))
	}
	for _, m := range s.meters {
		got := count(t, m.Output)
		if len(got.collections) < collections || got.flows < s.flows {
			t.Errorf("%s: %d collections, %d flows", m.Name, len(got.collections), got.flows)
		}
	}
	return late
}
