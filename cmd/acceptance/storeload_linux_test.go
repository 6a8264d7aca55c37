package acceptance

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rtfm/traces"
	"rtfm/traces/format"
	"rtfm/traces/tracetest"
)

// TestStoreLaw stores packets of each size as they come as fast as they can be sent, with
// little memory: each is stored, unstored or lost. What meters them beside has the
// flows of metering the store.
func TestStoreLaw(t *testing.T) {
	if testing.Short() {
		t.Skip("much is written")
	}
	tracetest.Network(t)
	octets := 64 << 20
	if tracetest.Long() {
		octets = 3 << 30
	}
	for _, size := range []int{1514, 60} {
		n := min(octets/size, 5_000_000)
		dir := t.TempDir()
		folder, flows, again := filepath.Join(dir, "store"), filepath.Join(dir, "live.csv"), filepath.Join(dir, "again.csv")
		p := startLive(t, 1, "run", "-i", "eb", "-r", everyFlow, "--csv", "-F", flows, "--store", folder, "--store-buffer", "32MiB")
		tracetest.Blast{Hosts: 50, Ports: 50, Octets: size}.Send(t, "ea", "eb", n)
		p.endStoring()
		packets, lost, unstored := surveyed(t, folder)
		t.Logf("%d packets of %d octets: %d stored, %d lost, %d unstored", n, size, packets, lost, unstored)
		if packets+lost+unstored != n || packets == 0 {
			t.Errorf("%d packets of %d octets: %d stored, %d lost, %d unstored", n, size, packets, lost, unstored)
		}
		ends(t, program(t, "run", "-q", "-r", everyFlow, "--csv", "-F", again, "store:"+folder))
		a, b := withoutMeter(readText(t, flows), "IntervalEndNs"), withoutMeter(readText(t, again), "IntervalEndNs")
		if a != b && unstored == 0 {
			t.Errorf("flows of packets of %d octets differ: %d octets metered live, %d from the store", size, len(a), len(b))
		}
		os.RemoveAll(folder)
	}
}

// endStoring ends a program that stores; it may say by its exit status that not all
// packets are.
func (p *process) endStoring() {
	p.t.Helper()
	p.signal(unix.SIGINT)
	if status := p.exit(60 * time.Second); status != 0 && status != 3 {
		p.t.Errorf("exit status %d", status)
	}
}

// TestStoreFrozen has a disk that takes nothing for a while, as one that hangs: metering
// goes on and loses nothing, and what was not stored is counted.
func TestStoreFrozen(t *testing.T) {
	if testing.Short() {
		t.Skip("mostly waiting")
	}
	tracetest.Network(t)
	freeze := tracetest.Require(t, "fsfreeze")
	frozen, rate := time.Second, 100_000
	if tracetest.Long() {
		frozen, rate = 10*time.Second, 300_000
	}
	disk := t.TempDir()
	mountExt4(t, disk, 2<<30)
	folder, flows := filepath.Join(disk, "store"), filepath.Join(t.TempDir(), "live.csv")
	p := startLive(t, 1, "run", "-i", "eb", "-r", everyFlow, "--csv", "-F", flows, "--store", folder, "--store-buffer", "4MiB", "--store-size", "1GiB", "--store-file-size", "64MiB")
	send := func(n int) { tracetest.Blast{Hosts: 50, Ports: 50, Rate: rate}.Send(t, "ea", "eb", n) }
	n := rate / 2
	send(n)
	tracetest.Run(t, freeze+" -f "+disk)
	thawed := false
	thaw := func() {
		if !thawed {
			tracetest.Run(t, freeze+" -u "+disk)
		}
		thawed = true
	}
	t.Cleanup(thaw)
	during := int(frozen.Seconds() * float64(rate))
	send(during)
	thaw()
	send(n)
	p.endStoring()
	all := 2*n + during
	text := p.printed()
	if got, lost := numberIn(t, `(?m)^([0-9]+) packets`, strings.ReplaceAll(text, ",", "")), numberIn(t, `(\d+) lost`, text); got != all || lost != 0 {
		t.Errorf("%d packets were metered and %d lost, of %d", got, lost, all)
	}
	packets, lost, unstored := surveyed(t, folder)
	t.Logf("%d packets: %d stored, %d lost, %d unstored", all, packets, lost, unstored)
	if packets+unstored != all || lost != 0 || unstored == 0 {
		t.Errorf("%d packets: %d stored, %d lost, %d unstored", all, packets, lost, unstored)
	}
}

// mountExt4 mounts a file of so many octets at dir that is a disk of ext4.
func mountExt4(t *testing.T, dir string, octets int64, options ...string) {
	t.Helper()
	image := filepath.Join(t.TempDir(), "disk")
	f, err := os.Create(image)
	if err == nil {
		err = f.Truncate(octets)
		f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	mkfs := append(append([]string{"mkfs.ext4", "-q", "-F", "-m", "0"}, options...), image)
	for _, command := range [][]string{mkfs, {"mount", "-o", "loop", image, dir}} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Skipf("no loop devices, or not allowed: %v: %v: %s", command, err, out)
		}
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
}

// TestStoreRetention stores more than is kept while packets are got again and again: the
// store is never larger than its limit by more than a file, and each get has all packets
// of its time or tells what is missing.
func TestStoreRetention(t *testing.T) {
	if testing.Short() {
		t.Skip("much is written")
	}
	tracetest.Network(t)
	limit, file, rate, n := 24<<20, 4<<20, 40_000, 60_000
	if tracetest.Long() {
		limit, file, rate, n = 5<<30, 256<<20, 200_000, 120_000_000
	}
	folder := filepath.Join(t.TempDir(), "store")
	p := startLive(t, 1, "store", "run", "-i", "eb", "-d", folder, "--size", fmt.Sprint(limit), "--file-size", fmt.Sprint(file))
	p.wait(20*time.Second, func(string) bool {
		_, err := os.Stat(filepath.Join(folder, "lock"))
		return err == nil
	})
	stop, ended := make(chan struct{}), make(chan watched)
	go func() { ended <- watchStore(folder, stop) }()
	tracetest.Blast{Hosts: 50, Ports: 50, Rate: rate, Octets: 1514}.Send(t, "ea", "eb", n)
	close(stop)
	w := <-ended
	p.endStoring()
	t.Logf("at most %d octets, with a limit of %d and files of %d; %d gets, %d of them whole", w.most, limit, file, w.gets, w.whole)
	if w.most > int64(limit+file) || w.most < int64(limit-file) {
		t.Errorf("at most %d octets were there, the limit is %d and a file has %d", w.most, limit, file)
	}
	for _, fault := range w.faults {
		t.Error(fault)
	}
	if w.gets == 0 {
		t.Error("nothing was got")
	}
	if packets, _, _ := surveyed(t, folder); packets == 0 {
		t.Error("nothing is left")
	}
}

// watched is what came of watching a store.
type watched struct {
	most        int64 // octets of its files
	gets, whole int
	faults      []string
}

// watchStore looks how large a store is, and gets packets of a host, each 50th, from it,
// until stop is closed.
func watchStore(folder string, stop chan struct{}) (w watched) {
	got := filepath.Join(filepath.Dir(folder), "got.pcap")
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		for {
			w.most = max(w.most, sizeOf(folder))
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	for last := false; !last; {
		select {
		case <-stop:
			last = true
		default:
		}
		var told strings.Builder
		status := runMain([]string{"store", "get", folder, "-w", got, "host 10.0.0.7"}, nil, &told, &told)
		w.gets++
		fault := ""
		switch text := told.String(); {
		case status == 0:
			w.whole++
			fault = stepsOf(got, 50)
		case status == 4 && strings.Contains(text, "not complete"):
		default:
			fault = fmt.Sprintf("exit status %d", status)
		}
		if fault != "" {
			w.faults = append(w.faults, fault+": "+told.String())
		}
	}
	<-looked
	return w
}

// sizeOf returns how many octets the files of a store have. It looks again if one has come
// or gone meanwhile.
func sizeOf(folder string) (octets int64) {
	for before := ""; ; {
		names, _ := filepath.Glob(filepath.Join(folder, "*.pcapng"))
		now := strings.Join(names, " ")
		if now == before {
			return octets
		}
		before, octets = now, 0
		for _, name := range names {
			if st, err := os.Stat(name); err == nil {
				octets += st.Size()
			}
		}
	}
}

// stepsOf says what is wrong if the numbers of the packets of a Blast in a trace do not go
// up by step.
func stepsOf(trace string, step uint64) string {
	src, err := format.Open(trace)
	if err != nil {
		return err.Error()
	}
	defer src.Close()
	var last uint64
	for n, b := 0, (traces.Batch{}); ; {
		if err := src.ReadBatch(&b); errors.Is(err, io.EOF) {
			return ""
		} else if err != nil {
			return err.Error()
		}
		for i := range b.Packets {
			number := binary.BigEndian.Uint64(b.Packets[i].Data[42:])
			if n > 0 && number != last+step {
				return fmt.Sprintf("packet %d follows %d", number, last)
			}
			last, n = number, n+1
		}
	}
}
