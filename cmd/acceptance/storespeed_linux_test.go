package acceptance

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"golang.org/x/sys/unix"

	"rtfm/traces"
	"rtfm/traces/format"
	"rtfm/traces/tracetest"
)

// TestStoreSpeed has programs store packets as fast as they can be sent, and rtfm meter them
// with and without a store, and prints how many they kept and what processor time that
// took. They take turns; the figures are of the round that took least. The sender has one
// processor, a program another one, and 256 MiB for packets. What the kernel does later,
// to write what was written into its cache, counts for none of them.
//
//	RTFM_STORE_SPEED   folder for what is stored
//	RTFM_STORE_ROUNDS  how often each program runs, 3 if it is not set
//	RTFM_STORE_GB      how many GB are sent each time, 3 if it is not set
//
// Without the first it is skipped. Programs that are not there do not take part.
func TestStoreSpeed(t *testing.T) {
	dir := os.Getenv("RTFM_STORE_SPEED")
	if dir == "" {
		t.Skip("RTFM_STORE_SPEED is not set")
	}
	if runtime.NumCPU() < 2 {
		t.Skip("needs two processors")
	}
	rounds, gigabytes := numberOf(t, "RTFM_STORE_ROUNDS", 3), numberOf(t, "RTFM_STORE_GB", 3)
	for _, size := range []int{1514, 60} {
		n := min(gigabytes*1e9/size, 5_000_000*gigabytes)
		blast := tracetest.Blast{Hosts: 100, Ports: 100, Octets: size}
		t.Run(fmt.Sprintf("storing %d octets", size), func(t *testing.T) {
			storeContest(t, dir, storers, blast, n, rounds)
		})
		blast.Rate = 250_000 // none is lost then
		t.Run(fmt.Sprintf("metering %d octets", size), func(t *testing.T) {
			storeContest(t, dir, storingMeters, blast, n/2, rounds)
		})
	}
}

// numberOf returns the number in a variable of the environment, or another one.
func numberOf(t *testing.T, name string, otherwise int) int {
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		t.Fatalf("%s=%s: want a number", name, s)
	}
	return n
}

// storer is a program that stores what comes at eb, in a folder, and how many packets it
// has stored then.
type storer struct {
	name string
	args []string // DIR is the folder
	kept func(t *testing.T, p *process, dir string) int
}

// storedRun is what came of a run.
type storedRun struct {
	sent float64 // packets/s
	kept int
	cpu  time.Duration
}

var storers = []storer{
	{"rtfm store run", []string{"rtfm", "store", "run", "-i", "eb", "-d", "DIR"}, func(t *testing.T, _ *process, dir string) int {
		packets, _, _ := surveyed(t, dir)
		return packets
	}},
	{"tcpdump", []string{"tcpdump", "-i", "eb", "-n", "-B", "262144", "-w", "DIR/out.pcap"}, packetsKept},
	{"dumpcap", []string{"dumpcap", "-i", "eb", "-q", "-B", "256", "-w", "DIR/out.pcapng"}, packetsKept},
	{"netsniff-ng", []string{"netsniff-ng", "-i", "eb", "-o", "DIR/out.pcap", "--silent", "-S", "256MiB"}, packetsKept},
	{"stenotype", []string{
		"stenotype", "--iface=eb", "--dir=DIR", "--threads=1", "--blocks=256", "--seccomp=none", "--uid=root", "--gid=root", "--preallocate_file_mb=4096",
	}, stenotypeKept},
}

var storingMeters = []storer{
	{"rtfm run", []string{"rtfm", "run", "-i", "eb", "-r", "@flows", "-F", os.DevNull}, storingMetered},
	{"rtfm run, whole packets", []string{"rtfm", "run", "-i", "eb", "-r", "@flows", "-F", os.DevNull, "--snap-length", "65535", "--ring-size", "256"}, storingMetered},
	{"rtfm run --store", []string{"rtfm", "run", "-i", "eb", "-r", "@flows", "-F", os.DevNull, "--store", "DIR"}, storingMetered},
}

// storingMetered ends rtfm run, which tells what it has metered.
func storingMetered(t *testing.T, p *process, _ string) int {
	return numberIn(t, `(?m)^(\d+) packets`, strings.ReplaceAll(p.printed(), ",", ""))
}

// packetsKept returns how many packets the only trace of a folder has.
func packetsKept(t *testing.T, _ *process, dir string) (packets int) {
	names, _ := filepath.Glob(filepath.Join(dir, "out.*"))
	src, err := format.Open(names[0])
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for b := (traces.Batch{}); err == nil; packets += len(b.Packets) {
		err = src.ReadBatch(&b)
	}
	if !errors.Is(err, io.EOF) {
		t.Log(err)
	}
	return packets
}

// stenotypeKept adds up what the blocks have of a ring (struct tpacket_block_desc)
// that stenotype's files are.
func stenotypeKept(t *testing.T, _ *process, dir string) (packets int) {
	names, _ := filepath.Glob(filepath.Join(dir, "PKT0", "*"))
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var head [16]byte
		for at := int64(0); ; at += 1 << 20 {
			if _, err := f.ReadAt(head[:], at); err != nil {
				break
			}
			packets += int(binary.NativeEndian.Uint32(head[12:]))
		}
	}
	return packets
}

// storeContest has programs take turns, and prints what came of it.
func storeContest(t *testing.T, dir string, programs []storer, blast tracetest.Blast, n, rounds int) {
	tracetest.Network(t)
	best := make([]storedRun, len(programs))
	for round := range rounds {
		for i := range programs {
			if _, err := exec.LookPath(programs[i].args[0]); err != nil {
				continue
			}
			r := programs[i].run(t, dir, blast, n)
			if round == 0 || r.kept > best[i].kept || r.kept == best[i].kept && r.cpu < best[i].cpu {
				best[i] = r
			}
		}
	}
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "program\tsent Mpps\tkept\ts/GB\tns/packet\t\n")
	for i, r := range best {
		if r.kept == 0 {
			continue
		}
		fmt.Fprintf(w, "%s\t%.2f\t%.2f %%\t%.2f\t%.0f\t\n", programs[i].name, r.sent/1e6, 100*float64(r.kept)/float64(n),
			r.cpu.Seconds()*1e9/float64(r.kept)/float64(blast.Octets), float64(r.cpu)/float64(r.kept))
	}
	w.Flush()
	t.Logf("%d packets of %d octets\n%s", n, blast.Octets, out.String())
}

// run has a program store n packets.
func (s *storer) run(t *testing.T, parent string, blast tracetest.Blast, n int) (r storedRun) {
	t.Helper()
	dir, err := os.MkdirTemp(parent, "rtfm-store-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if s.args[0] == "dumpcap" { // it may give up its rights
		os.Chmod(dir, 0o777)
	}
	for _, name := range []string{"PKT0", "IDX0"} { // stenotype's
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"-c", "1"}
	for _, a := range s.args {
		args = append(args, strings.ReplaceAll(a, "DIR", dir))
	}
	var processor unix.CPUSet
	processor.Set(0)
	if err := unix.SchedSetaffinity(0, &processor); err != nil {
		t.Fatal(err)
	}
	p := startBeside(t, exec.Command(tracetest.Require(t, "taskset"), args...))
	time.Sleep(2 * time.Second)
	began := time.Now()
	blast.Send(t, "ea", "eb", n)
	r.sent = float64(n) / time.Since(began).Seconds()
	time.Sleep(2 * time.Second) // libpcap's time-out is a second
	p.signal(unix.SIGINT)
	select {
	case <-p.ended:
	case <-time.After(20 * time.Second): // stenotype's threads wait for each other now and then
		p.signal(unix.SIGKILL)
		<-p.ended
	}
	state := p.cmd.ProcessState
	r.cpu = state.UserTime() + state.SystemTime()
	r.kept = s.kept(t, p, dir)
	return r
}
