package tracetest

import (
	"os"
	"syscall"
	"testing"
	"unsafe"
)

// NewTun makes a tunnel interface of this name and hardware type, such as
// syscall.ARPHRD_NONE, in the namespace of the test, up and with the address
// 10.9.0.1/24. Its packets have no link header. Those that are written to the
// file come in at the interface; those that go out there are read from the file.
//
// Where the kernel has no such interfaces the test is skipped, or fails if
// RTFM_REQUIRE names tun.
func NewTun(t testing.TB, name string, hatype uintptr) *os.File {
	t.Helper()
	fd, err := syscall.Open("/dev/net/tun", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		Missing(t, "tun", &os.PathError{Op: "open", Path: "/dev/net/tun", Err: err})
	}
	f := os.NewFile(uintptr(fd), name)
	t.Cleanup(func() { f.Close() })
	var request struct { // struct ifreq of linux/if.h
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(request.name[:], name)
	request.flags = syscall.IFF_TUN | syscall.IFF_NO_PI
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TUNSETIFF, uintptr(unsafe.Pointer(&request))); errno != 0 {
		t.Fatal(os.NewSyscallError("TUNSETIFF", errno))
	}
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TUNSETLINK, hatype); errno != 0 {
		t.Fatal(os.NewSyscallError("TUNSETLINK", errno))
	}
	Run(t, "ip addr add 10.9.0.1/24 dev "+name)
	Run(t, "ip link set "+name+" up")
	return f
}
