package acceptance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program that runs beside a test, with the processes that it
// started.
type process struct {
	t   testing.TB
	cmd *exec.Cmd

	mu     sync.Mutex
	output strings.Builder // standard output and standard error

	ended chan struct{} // closed when it has
	err   error         // how, once it has
}

// Write implements io.Writer, for the program's output.
func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.Write(b)
}

// printed returns what the program has printed until now.
func (p *process) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.output.String()
}

// startBeside starts cmd, to be killed when the test ends.
func startBeside(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p, p
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		p.err = cmd.Wait()
	}()
	t.Cleanup(func() {
		select {
		case <-p.ended:
		default:
			p.signal(syscall.SIGKILL)
			<-p.ended
		}
		if t.Failed() {
			t.Logf("%q printed\n%s", cmd.Args, p.printed())
		}
	})
	return p
}

// runBeside is startBeside, and waits until what the program has printed is as
// wanted.
func runBeside(t testing.TB, cmd *exec.Cmd, wanted func(printed string) bool, patience time.Duration) *process {
	t.Helper()
	p := startBeside(t, cmd)
	p.wait(patience, wanted)
	return p
}

// wait waits until what the program has printed is as wanted.
func (p *process) wait(patience time.Duration, wanted func(printed string) bool) {
	p.t.Helper()
	for deadline := time.Now().Add(patience); !wanted(p.printed()); time.Sleep(5 * time.Millisecond) {
		select {
		case <-p.ended:
			if !wanted(p.printed()) {
				p.t.Fatalf("%q has ended: %v", p.cmd.Args, p.err)
			}
		default:
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("%q has not printed what was wanted after %v", p.cmd.Args, patience)
		}
	}
}

// signal sends a signal to the program and those that it started, if they have
// not ended.
func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := syscall.Kill(-p.cmd.Process.Pid, s); err != nil && err != syscall.ESRCH {
		p.t.Fatalf("signal %v: %v", s, err)
	}
}

// signalAgain sends a signal to a program that had one before, again and again:
// those that come soon after the first are taken for the same wish. It returns
// the exit status, as exit does.
func (p *process) signalAgain(s syscall.Signal, patience time.Duration) int {
	p.t.Helper()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	over := time.After(patience)
	for {
		select {
		case <-p.ended:
			return p.cmd.ProcessState.ExitCode()
		case <-again.C:
			p.signal(s)
		case <-over:
			p.t.Fatalf("%q has not ended after %v", p.cmd.Args, patience)
		}
	}
}

// exit waits until the program has ended and returns its exit status, -1 after
// a signal.
func (p *process) exit(patience time.Duration) int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatalf("%q has not ended after %v", p.cmd.Args, patience)
	}
	return p.cmd.ProcessState.ExitCode()
}

// netSNMPEnviron returns an environment that keeps net-snmp's programs from the
// machine's own configuration and state; dir holds theirs.
func netSNMPEnviron(t testing.TB, dir string) []string {
	t.Helper()
	state := filepath.Join(dir, "persistent")
	if err := os.MkdirAll(filepath.Join(state, "cert_indexes"), 0o700); err != nil { // they tell when they make it
		t.Fatal(err)
	}
	return append(os.Environ(), "SNMPCONFPATH="+dir, "SNMP_PERSISTENT_DIR="+state)
}
