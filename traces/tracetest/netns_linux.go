package tracetest

import (
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Network moves the test to a network namespace of its own, which ends with it:
// what the test's goroutine and the programs that it starts do, but not its
// other goroutines. There are the loopback interface and two interfaces ea and eb
// that are joined with each other, all up, and nobody sends anything by itself.
//
// Where that is not permitted the test is skipped, or fails if RTFM_REQUIRE
// names netns.
func Network(t testing.TB) {
	t.Helper()
	Require(t, "ip")
	runtime.LockOSThread() // for good: the thread ends with the goroutine
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		Missing(t, "netns", os.NewSyscallError("unshare", err))
	}
	// IPv6 would look for routers and neighbours.
	for _, all := range []string{"all", "default"} {
		if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+all+"/disable_ipv6", []byte("1"), 0); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	Run(t, "ip link set lo up")
	Join(t)
}

// Join makes the interfaces ea and eb in a namespace that does not have them.
func Join(t testing.TB) {
	t.Helper()
	Run(t, "ip link add ea type veth peer name eb")
	Up(t, "ea", "eb")
}

// Up sets interfaces up and waits until they run: the kernel tells each of its
// peer some time after both are up, and drops what is sent before.
func Up(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		Run(t, "ip link set "+name+" up")
	}
	for _, name := range names {
		waitToRun(t, name)
	}
}

func waitToRun(t testing.TB, name string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		if i, err := net.InterfaceByName(name); err != nil {
			t.Fatal(err)
		} else if i.Flags&net.FlagRunning != 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not run", name)
		}
	}
}

// Run runs a command, whose words are separated by blanks, and returns what it
// prints.
func Run(t testing.TB, command string) string {
	t.Helper()
	words := strings.Fields(command)
	cmd := exec.Command(Require(t, words[0]), words[1:]...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}

// Sender sends frames at an interface of the namespace that it was made in.
type Sender struct {
	t  testing.TB
	fd int
	to syscall.SockaddrLinklayer
}

// NewSender returns a sender at the named interface, once that runs.
func NewSender(t testing.TB, name string) *Sender {
	t.Helper()
	waitToRun(t, name)
	fd, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(os.NewSyscallError("socket", err))
	}
	t.Cleanup(func() { syscall.Close(fd) })
	return &Sender{t, fd, syscall.SockaddrLinklayer{Ifindex: Index(t, name)}}
}

// Index returns the ifIndex of an interface.
func Index(t testing.TB, name string) int {
	t.Helper()
	i, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return i.Index
}

// Send sends the frames, one after the other.
func (s *Sender) Send(frames ...[]byte) {
	s.t.Helper()
	for _, f := range frames {
		if err := syscall.Sendto(s.fd, f, 0, &s.to); err != nil {
			s.t.Fatal(os.NewSyscallError("sendto", err))
		}
	}
}
