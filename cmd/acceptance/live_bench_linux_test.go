package acceptance

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"rtfm/traces/tracetest"
)

// BenchmarkLive has programs capture packets of 100 octets, of 10,000 flows, for
// two seconds at several rates, with the memory for packets that they have by
// default. The sender has one processor, which also does what the kernel does to
// receive its packets, the program has another one. The figures are medians of
// as many runs as -benchtime says: "make live-bench" has three.
func BenchmarkLive(b *testing.B) {
	if runtime.NumCPU() < 2 {
		b.Skip("needs two processors")
	}
	for _, c := range capturers {
		for _, rate := range []int{50_000, 100_000, 200_000, 300_000, 400_000, 500_000, 10_000_000} {
			b.Run(fmt.Sprintf("%s/%d", c.name, rate), func(b *testing.B) {
				if c.name != "rtfm" {
					tracetest.Require(b, c.name)
				}
				tracetest.Network(b)
				flood := newFlood(b, "ea", 10_000)
				var lost, sent, cpu []float64
				for range b.N {
					r := c.run(b, flood, float64(rate))
					lost, sent, cpu = append(lost, r.lost), append(sent, r.sent), append(cpu, r.cpu)
				}
				for unit, values := range map[string][]float64{"%-lost": lost, "packets/s": sent, "cpu-ns/packet": cpu} {
					slices.Sort(values)
					b.ReportMetric(values[len(values)/2], unit)
				}
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// liveRun is what came of a run.
type liveRun struct {
	lost float64 // percent
	sent float64 // packets/s
	cpu  float64 // processor time of the program, ns/packet
}

// capturer is a program that captures.
type capturer struct {
	name string
	args func(dir string) []string // to capture at eb
	// lost ends the program and returns how many packets of n it lost.
	lost func(b *testing.B, p *process, dir string, n int) int
}

// run has the capturer capture while packets are sent for two seconds.
func (c *capturer) run(b *testing.B, f *flood, rate float64) (r liveRun) {
	b.Helper()
	dir := b.TempDir()
	args := append([]string{"-c", "1"}, c.args(dir)...)
	p := startBeside(b, exec.Command(tracetest.Require(b, "taskset"), args...))
	time.Sleep(500 * time.Millisecond)
	n := 0
	began := time.Now()
	for time.Since(began) < 2*time.Second {
		n += f.send(10_000, rate)
	}
	r.sent = float64(n) / time.Since(began).Seconds()
	time.Sleep(1500 * time.Millisecond) // libpcap's time-out is a second
	r.lost = 100 * float64(c.lost(b, p, dir, n)) / float64(n)
	state := p.cmd.ProcessState
	r.cpu = float64(state.UserTime()+state.SystemTime()) / float64(n)
	return r
}

// printedNumber ends the program and returns the first number that it prints in
// the place of a group of the expression.
func printedNumber(expression string) func(*testing.B, *process, string, int) int {
	return func(b *testing.B, p *process, dir string, n int) int {
		b.Helper()
		p.signal(syscall.SIGINT)
		<-p.ended
		return numberIn(b, expression, p.printed())
	}
}

// capturers are rtfm and others.
var capturers = []capturer{
	{"rtfm", func(dir string) []string {
		return []string{"rtfm", "run", "-i", "eb", "-r", "ruleset/examples/all-flows.srl", "-F", "/dev/null"}
	}, printedNumber(`(?m), (\d+) lost$`)},
	{"tcpdump", func(dir string) []string {
		return []string{"tcpdump", "-i", "eb", "-n", "-s", "128", "-w", "/dev/null"}
	}, printedNumber(`(?m)^(\d+) packets dropped by kernel`)},
	{"softflowd", func(dir string) []string {
		return []string{"softflowd", "-d", "-i", "eb", "-m", "100000", "-c", filepath.Join(dir, "control"), "-p", filepath.Join(dir, "pid")}
	}, func(b *testing.B, p *process, dir string, n int) int {
		out := tracetest.Run(b, "softflowctl -c "+filepath.Join(dir, "control")+" statistics")
		p.signal(syscall.SIGKILL)
		<-p.ended
		return numberIn(b, `Packets dropped by libpcap: (\d+)`, out)
	}},
	{"nfpcapd", func(dir string) []string {
		return []string{"nfpcapd", "-i", "eb", "-w", dir, "-t", "3600", "-s", "128"}
	}, func(b *testing.B, p *process, dir string, n int) int {
		p.signal(syscall.SIGINT)
		<-p.ended
		return n - numberIn(b, `(?m)^Packets: (\d+)`, tracetest.Run(b, "nfdump -I -R "+dir))
	}},
}

// flood sends packets fast.
type flood struct {
	b        *testing.B
	fd       int
	messages []message
	next     int
}

// message is struct mmsghdr.
type message struct {
	header unix.Msghdr
	length uint32
}

// perCall is how many packets are sent by one system call.
const perCall = 32

// newFlood returns a flood of UDP packets of 100 octets of this many flows, as
// many in each direction.
func newFlood(b *testing.B, name string, flows int) *flood {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { unix.Close(fd) })
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_QDISC_BYPASS, 1); err != nil {
		b.Fatal(err)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Ifindex: tracetest.Index(b, name)}); err != nil {
		b.Fatal(err)
	}
	var processor unix.CPUSet
	processor.Set(0)
	if err := unix.SchedSetaffinity(0, &processor); err != nil {
		b.Fatal(err)
	}
	f := &flood{b: b, fd: fd, messages: make([]message, 2*flows)}
	for i := range f.messages {
		source, dest := 1024+i/2, 53
		host, peer := "10.0.0.1", "10.0.0.2"
		if i%2 == 1 {
			source, dest, host, peer = dest, source, peer, host
		}
		frame := tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4(host, peer).UDP(source, dest).Payload(58).Bytes()
		f.messages[i].header.Iov = &unix.Iovec{Base: &frame[0]}
		f.messages[i].header.Iov.SetLen(len(frame))
		f.messages[i].header.SetIovlen(1)
	}
	return f
}

// send sends n packets at a rate, or as fast as it can.
func (f *flood) send(n int, rate float64) int {
	began := time.Now()
	for sent := 0; sent < n; {
		for due := time.Duration(float64(sent) / rate * 1e9); time.Since(began) < due; {
		}
		some := min(perCall, n-sent, len(f.messages)-f.next)
		got, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(f.fd), uintptr(unsafe.Pointer(&f.messages[f.next])), uintptr(some), 0, 0, 0)
		if errno != 0 {
			f.b.Fatal(errno)
		}
		sent += int(got)
		if f.next += int(got); f.next == len(f.messages) {
			f.next = 0
		}
	}
	return n
}
