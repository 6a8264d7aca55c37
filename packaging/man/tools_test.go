package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/traces/tracetest"
)

// fakes stand for the programs that "make tools" runs: apt-get and systemctl tell how they
// are called, and apt-get what Debian is told about starting services.
var fakes = map[string]string{
	"id":        "echo 0",
	"apt-get":   `echo apt-get "$@" >>"$LOG"; "$POLICY" snmpd start; echo policy $? >>"$LOG"; exit $APT`,
	"dpkg":      `echo /lib/systemd/system/one.service; echo /lib/systemd/system/many@.service; echo /usr/sbin/one`,
	"systemctl": `echo systemctl "$@" >>"$LOG"`,
}

// TestTools has "make tools" install something with a service. While it does, services
// must not be started, later on they must be off, and nothing of that may stay behind.
func TestTools(t *testing.T) {
	make := tracetest.Require(t, "make")
	for _, tc := range []struct {
		name, policy, apt string
		want              []string
	}{
		{"as usual", "", "0", []string{"apt-get update -q", "policy 101", "apt-get install -q -y --no-install-recommends one two", "policy 101", "systemctl disable one.service"}},
		{"apt fails", "", "7", []string{"apt-get update -q", "policy 101"}},
		{"with a policy of the machine's own", "#!/bin/sh\nexit 99\n", "0", []string{"apt-get update -q", "policy 99",
			"apt-get install -q -y --no-install-recommends one two", "policy 99", "systemctl disable one.service"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, script := range fakes {
				if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			log, policy := filepath.Join(dir, "log"), filepath.Join(dir, "policy-rc.d")
			if tc.policy != "" {
				if err := os.WriteFile(policy, []byte(tc.policy), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			tools := exec.Command(make, "-s", "tools", "TOOLS=no-such-program=one,two", "POLICY="+policy)
			tools.Dir = root
			tools.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "LOG="+log, "POLICY="+policy, "APT="+tc.apt)
			if out, err := tools.CombinedOutput(); (err != nil) != (tc.apt != "0") {
				t.Errorf("%v\n%s", err, out)
			}
			text, err := os.ReadFile(log)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.Join(tc.want, "\n") + "\n"; string(text) != want {
				t.Errorf("was done:\n%swant\n%s", text, want)
			}
			if left, err := os.ReadFile(policy); string(left) != tc.policy || (err == nil) != (tc.policy != "") {
				t.Errorf("the policy is %q then", left)
			}
		})
	}
}
