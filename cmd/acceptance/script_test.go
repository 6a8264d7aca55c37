package acceptance

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"rtfm/cmd"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary be rtfm where scripts and documents call it, and
// runs the tests at the root of the repository.
func TestMain(m *testing.M) {
	testscript.Main(keepsRights{m}, map[string]func(){
		"rtfm": func() { os.Exit(cmd.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// keepsRights runs tests, at the root of the repository, none of which may give up rights that others need, as
// rtfm does when it captures: such tests start a process.
type keepsRights struct{ *testing.M }

func (m keepsRights) Run() int {
	if err := os.Chdir("../.."); err != nil { // the root of the repository
		panic(err)
	}
	defer removeServers()
	before := effectiveCapabilities()
	status := m.M.Run()
	if after := effectiveCapabilities(); after != before {
		fmt.Fprintf(os.Stderr, "a test has given up rights: capabilities were %s and are %s\n", before, after)
		return 1
	}
	return status
}

// effectiveCapabilities returns those of this process, in hexadecimal, on Linux.
func effectiveCapabilities() string {
	status, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return ""
	}
	_, found, _ := strings.Cut(string(status), "\nCapEff:\t")
	found, _, _ = strings.Cut(found, "\n")
	return found
}

// TestScripts runs the scripts of testdata/script, which hold every option,
// message and exit status in place. In them ROOT is the root of the repository,
// and the command
//
//	status N PROGRAM ARGUMENTS...
//
// runs a program that must end with exit status N. With RTFM_UPDATE set in the
// environment, the files that "cmp stdout FILE" and the like compare with are
// written anew.
func TestScripts(t *testing.T) {
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join(root, "cmd/acceptance/testdata/script"),
		RequireExplicitExec: true,
		UpdateScripts:       os.Getenv("RTFM_UPDATE") != "",
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"status": scriptStatus},
		Setup: func(env *testscript.Env) error {
			env.Setenv("ROOT", root)
			return nil
		},
	})
}

// scriptStatus is the command "status" of scripts.
func scriptStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N PROGRAM ARGUMENTS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}
