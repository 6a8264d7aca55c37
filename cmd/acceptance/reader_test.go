package acceptance

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/mib/client"
	"rtfm/traces/tracetest"
)

// readerOf returns how `rtfm reader` is run for the meter at an address.
func readerOf(address string, args ...string) *exec.Cmd {
	cmd := exec.Command("rtfm", append([]string{"reader", "--timeout", "2"}, append(args, address)...)...)
	cmd.Env = append(os.Environ(), "RTFM_COMMUNITY=writer")
	return cmd
}

// TestReader reads a meter that has metered a trace by its built-in ruleset, in
// all ways that the command has.
func TestReader(t *testing.T) {
	t.Parallel()
	address := tracetest.Address(t, "udp")
	cmd := exec.Command("rtfm", "meter", "--snmp", address, "-C", "traces/testdata/sample.pcap")
	cmd.Env = append(os.Environ(), "RTFM_READ_COMMUNITY=reader", "RTFM_WRITE_COMMUNITY=writer")
	runBeside(t, cmd, func(out string) bool { return strings.Contains(out, "the traces have ended") }, 20*time.Second)
	c, err := client.Dial(t.Context(), client.Config{Address: address, Community: "writer"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	registered := func() int {
		rows, err := c.Readers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return rows.Len()
	}

	// At once: a table of the three flows, or JSON; nobody registers.
	out, err := readerOf(address, "--once", "-r", "1").Output()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if err != nil || len(lines) != 4 || !strings.HasPrefix(lines[0], "flowruleset  flowindex  firsttime ") ||
		strings.Join(strings.Fields(lines[1])[:3], " ") != "1 1 0" || strings.Contains(string(out), "#") {
		t.Errorf("--once: %v\n%s", err, out)
	}
	out, err = readerOf(address, "--once", "--json", "-r1").Output()
	if err != nil || strings.Count(string(out), `{"record":"flow",`) != 3 || !strings.Contains(string(out), `"ToPDUs":549,`) {
		t.Errorf("--once --json: %v\n%s", err, out)
	}
	// No task runs, so there is nothing to read unless it is said what.
	if out, err = readerOf(address, "--once").Output(); err != nil || strings.Count(string(out), "\n") > 1 {
		t.Errorf("--once without a ruleset: %v\n%s", err, out)
	}
	out, err = readerOf(address, "--once", "-r", "9").CombinedOutput()
	if err == nil || string(out) != "rtfm: "+address+": the meter has no ruleset 9\n" {
		t.Errorf("a ruleset that is not there: %v, %s", err, out)
	}
	cmd = readerOf(address, "--once", "--retries", "0")
	cmd.Env = append(os.Environ(), "RTFM_COMMUNITY=guessed")
	out, err = cmd.CombinedOutput()
	if err == nil || strings.Count(string(out), "\n") != 1 || !strings.Contains(string(out), "is this its community?") || strings.Contains(string(out), "guessed") {
		t.Errorf("a wrong community: %v, %s", err, out)
	}
	if n := registered(); n != 0 {
		t.Errorf("%d readers are registered", n)
	}

	// Again and again, until it is told to end. The last flow was active at the
	// very time that is the meter's, and is shown again.
	watch := runBeside(t, readerOf(address, "--watch", "-c1", "-r1"), func(out string) bool { return strings.Count(out, "flowruleset ") >= 3 }, 20*time.Second)
	watch.signal(syscall.SIGINT)
	if status := watch.exit(10 * time.Second); status != 0 || strings.Count(watch.printed(), "\n1  ") != 2+strings.Count(watch.printed(), "flowruleset ") {
		t.Errorf("--watch: status %d\n%s", status, watch.printed())
	}

	// Into a file, without and with a registration. No flow is active any more,
	// so only the first collection has any, and a second run goes on behind it.
	for _, how := range []string{"--passive", "--passive=false"} {
		path := filepath.Join(t.TempDir(), "sample.flows")
		for run := range 2 {
			before, _ := os.ReadFile(path)
			p := startBeside(t, readerOf(address, how, "-c1", "-r1", "-F", path))
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				if text, _ := os.ReadFile(path); strings.Count(string(text), "#EndData") >= strings.Count(string(before), "#EndData")+2 {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("no collections are made")
				}
			}
			p.signal(syscall.SIGTERM)
			if status := p.exit(10 * time.Second); status != 0 {
				t.Errorf("%s: status %d", how, status)
			}
			if warned := strings.Count(p.printed(), "it may recover flows before they are read"); (warned == 1) != (how == "--passive") {
				t.Errorf("%s: warned %d times:\n%s", how, warned, p.printed())
			}
			text, err := os.ReadFile(path)
			if err != nil || !strings.HasPrefix(string(text), string(before)) ||
				strings.Count(string(text), "##NeTraMet") != run+1 || strings.Count(string(text), "\n1 1 0  ") != 1 || strings.Count(string(text), "Flows from 1 to") != 1 {
				t.Errorf("%s, run %d: %v\n%s", how, run, err, text)
			}
		}
		if n := registered(); (n == 1) != (how == "--passive=false") {
			t.Errorf("%s: %d readers are registered", how, n)
		}
	}
}

// TestSNMPv3 manages and reads a meter under snmpd as users of SNMPv3, whom the
// command line names and files and the environment give passphrases.
func TestSNMPv3(t *testing.T) {
	t.Parallel()
	const password = "known-to-collector"
	agent := newSecureMaster(t, password)
	startMeter(t, agent, "-C", "traces/testdata/sample.pcap", "-T", "100000")
	dir := t.TempDir()
	file := filepath.Join(dir, "secret")
	if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	command := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "rtfm", args...)
		cmd.Env = append(os.Environ(), "RTFM_PRIV="+password)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	flows := filepath.Join(dir, "flows")
	out, err := command("manager", "-C", "-r", "ruleset/examples/services.srl", "-F", flows, "--user", "collector", "--auth-file", file, agent.address)
	if err != nil || !strings.Contains(out, "task started") {
		t.Errorf("manager: %v\n%s", err, out)
	}
	if text, err := os.ReadFile(flows); err != nil || strings.Count(string(text), "\n2 ") != 9 {
		t.Errorf("%v\n%s", err, text)
	}
	startMeter(t, agent, "-C", "traces/testdata/sample.pcap").waitForEnd()
	out, err = command("reader", "--once", "-r1", "--user", "collector", "--auth-file", file, agent.address)
	if err != nil || strings.Count(out, "\n1  ") != 3 {
		t.Errorf("reader: %v\n%s", err, out)
	}
	if err := os.WriteFile(file, []byte("not-its-password"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err = command("reader", "--once", "--retries", "0", "--user", "collector", "--auth-file", file, agent.address)
	if err == nil || strings.Count(out, "\n") != 1 || strings.Contains(out, password) || !strings.Contains(out, "passphrase") {
		t.Errorf("a wrong passphrase: %v\n%s", err, out)
	}
}

// TestReaderViews reads a meter under snmpd as users whom access control lets write
// row 5 of flowReaderInfoTable only, and nothing.
func TestReaderViews(t *testing.T) {
	t.Parallel()
	const password = "known-to-collector"
	users := strings.ReplaceAll(`createUser registered SHA-256 PASSWORD AES PASSWORD
createUser viewer SHA-256 PASSWORD AES PASSWORD
group registered usm registered
group viewers usm viewer
view meter included .1.3.6.1.2.1.1
view meter included .1.3.6.1.2.1.40
view meter included .1.3.6.1.4.1.8072.9999.9999.2720
view row5 included .1.3.6.1.2.1.40.1.3.1.0.5 ff.df
access registered "" usm priv exact meter row5 none
access viewers "" usm priv exact meter none none`, "PASSWORD", password)
	agent := newSecureMaster(t, password, users)
	startMeter(t, agent, "-C", "traces/testdata/sample.pcap").waitForEnd()
	read := func(user string, args ...string) *process {
		cmd := exec.Command("rtfm", append([]string{"reader", "-c1", "-r1", "--user", user, agent.address}, args...)...)
		cmd.Env = append(os.Environ(), "RTFM_AUTH="+password, "RTFM_PRIV="+password)
		return startBeside(t, cmd)
	}
	for _, tt := range []struct {
		user, how string
		args      []string
		complains string
	}{
		{"registered", "in its own row", []string{"--first-row", "5", "--last-row", "5"}, ""},
		{"registered", "in any row", nil, "flowReaderStatus.1"},
		{"viewer", "passive", []string{"--passive"}, ""},
		{"viewer", "registered", nil, "flowReaderStatus.1"},
	} {
		t.Run(tt.user+" "+tt.how, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "flows")
			p := read(tt.user, append(tt.args, "-F", path)...)
			if tt.complains != "" {
				p.wait(20*time.Second, func(out string) bool {
					return strings.Count(out, tt.complains) >= 2 && strings.Count(out, "have it only read, with --passive") == 1
				})
				p.signal(syscall.SIGTERM)
				if status := p.exit(20 * time.Second); status != 1 {
					t.Errorf("status %d", status)
				}
				if text, err := os.ReadFile(path); err == nil {
					t.Errorf("a collection was made:\n%s", text)
				}
				return
			}
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
				if text, _ := os.ReadFile(path); strings.Count(string(text), "#EndData") >= 2 {
					break
				}
				if time.Now().After(deadline) {
					t.Fatal("no collections are made")
				}
			}
			p.signal(syscall.SIGTERM)
			if status := p.exit(10 * time.Second); status != 0 {
				t.Errorf("status %d", status)
			}
			if text, err := os.ReadFile(path); err != nil || strings.Count(string(text), "\n1 1 0  ") != 1 {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}
