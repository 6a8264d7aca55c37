package acceptance

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
	"rtfm/traces/tracetest"
)

const (
	flowMIB      = ".1.3.6.1.2.1.40"
	extensionMIB = ".1.3.6.1.4.1.8072.9999.9999.2720"
)

// download puts a ruleset in a meter, ten rules in a Set.
func (f *frontEnd) download(index int, rs *ruleset.RuleSet) {
	f.t.Helper()
	info := func(column int) string { return fmt.Sprintf("%s.1.1.1.%d.%d", flowMIB, column, index) }
	f.must("snmpset", info(5), "i", "5", info(2), "i", fmt.Sprint(len(rs.Rules)))
	var args []string
	for i, r := range rs.Rules {
		rule := func(column int) string { return fmt.Sprintf("%s.3.1.1.%d.%d.%d", flowMIB, column, index, i+1) }
		octets := func(v attr.Value) string { return fmt.Sprintf("%x", v.Resize(max(1, v.Len())).Append(nil)) }
		args = append(args, rule(3), "i", fmt.Sprint(int(r.Attr)), rule(4), "x", octets(r.Mask), rule(5), "x", octets(r.Value),
			rule(6), "i", fmt.Sprint(int(r.Op)), rule(7), "i", fmt.Sprint(r.Param))
		if (i+1)%10 == 0 || i == len(rs.Rules)-1 {
			f.must("snmpset", args...)
			args = nil
		}
	}
	f.must("snmpset", info(5), "i", "1")
}

// runTask makes a meter run a ruleset as its only task.
func (f *frontEnd) runTask(index int) {
	f.t.Helper()
	task := flowMIB + ".1.4.1.%d.1"
	f.must("snmpset", fmt.Sprintf(task, 8), "i", "4", fmt.Sprintf(task, 2), "i", fmt.Sprint(index))
}

// meterAllFlows starts a meter that has a flow for each connection of the sample
// and waits for them to be read: all 2028 packets have been metered.
func meterAllFlows(t *testing.T, m *master, more ...string) *meterProcess {
	t.Helper()
	rs, _, err := compile.Load("ruleset/examples/all-flows.srl", nil, srl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	meter := startMeter(t, m, append([]string{"-C", "traces/testdata/sample.pcap", "-T", "100000"}, more...)...)
	meter.download(2, rs)
	meter.runTask(2)
	meter.waitFor(extensionMIB+".1.5.1.0", "INTEGER: 5")
	return meter
}

// TestWalk walks all of mib-2.40 through both front ends: the walks end and are
// the same, and each column of flowDataTable has each flow of the ruleset that
// has run once.
func TestWalk(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	meter := meterAllFlows(t, m)
	flows := strings.TrimPrefix(meter.must("snmpget", flowMIB+".1.7.0")[0], flowMIB+".1.7.0 = INTEGER: ")
	var walks []string
	for _, f := range []*frontEnd{meter.frontEnd, m.frontEnd} {
		for _, tool := range []string{"snmpwalk", "snmpbulkwalk -Cr50"} {
			lines := f.must(tool, flowMIB)
			last := len(lines) - 1
			if strings.Contains(lines[last], "No more variables") {
				lines = lines[:last]
			}
			walks = append(walks, strings.Join(lines, "\n"))
		}
	}
	for i, w := range walks {
		if w != walks[0] {
			t.Errorf("walk %d differs from the first", i+1)
		}
	}
	columns := make(map[string]int)
	seen := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^\.1\.3\.6\.1\.2\.1\.40\.2\.(\d+\.\d+\.\d+)\.(2\.0\.\d+) = `).FindAllStringSubmatch(walks[0], -1) {
		columns[m[1]]++
		if seen[m[1]+" "+m[2]] {
			t.Errorf("flow %s is twice in column %s", m[2], m[1])
		}
		seen[m[1]+" "+m[2]] = true
	}
	if len(columns) != 38 || flows == "0" {
		t.Errorf("the walk shows %d columns of %s flows", len(columns), flows)
	}
	for column, n := range columns {
		if fmt.Sprint(n) != flows {
			t.Errorf("the walk shows %d flows in column %s, of %s", n, column, flows)
		}
	}
	if strings.Contains(walks[0], flowMIB+".2.2.") || strings.Contains(walks[0], flowMIB+".2.3.") {
		t.Error("the walk shows column activity or packages, of which there is no end")
	}

	// From a TimeMark on: those that were active since.
	rows := regexp.MustCompile(`\.40\.2\.1\.1\.32\.2\.0\.(\d+) = Timeticks: \((\d+)\)`).FindAllStringSubmatch(walks[0], -1)
	const mark = 20000
	var want []string
	for _, r := range rows {
		var last int
		fmt.Sscan(r[2], &last)
		if last >= mark {
			want = append(want, r[1])
		}
	}
	for _, f := range []*frontEnd{meter.frontEnd, m.frontEnd} {
		root := fmt.Sprintf("%s.2.1.1.32.2.%d", flowMIB, mark)
		var got []string
		for _, line := range f.must("snmpbulkwalk", root) {
			index, _, _ := strings.Cut(strings.TrimPrefix(line, root+"."), " ")
			got = append(got, index)
		}
		if len(want) == 0 || len(want) == len(rows) || strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: active since %d are %v of %d, want %v", f.name, mark, got, len(rows), want)
		}
	}
}

// TestSnmpdKilled kills snmpd in the middle of a collection and starts it again.
func TestSnmpdKilled(t *testing.T) {
	t.Parallel()
	m := newMaster(t)
	meter := meterAllFlows(t, m)
	column := flowMIB + ".2.1.1.28.2"
	want := meter.must("snmpwalk", column)
	impatient := *m.frontEnd
	impatient.args = append([]string{}, m.args...)
	impatient.args[4] = "0.1" // -t
	// In the longer time the meter's attempts get as far apart as they do.
	for _, away := range []time.Duration{0, 3500 * time.Millisecond} {
		collecting := startBeside(t, exec.Command("snmpwalk", append(append([]string{}, m.args...), "-On", m.address, flowMIB)...))
		collecting.wait(10*time.Second, func(out string) bool { return strings.Count(out, "\n") > 20 })
		m.signal(syscall.SIGKILL)
		<-m.ended
		select {
		case <-collecting.ended:
			if strings.Contains(collecting.printed(), flowMIB+".3.1.1.7") {
				t.Fatal("the collection was over before snmpd was killed")
			}
		default:
		}
		time.Sleep(away)
		m.start()
		var back, answered time.Time
		for answered.IsZero() {
			out, err := impatient.run("snmpget", ".1.3.6.1.2.1.1.3.0", flowMIB+".1.8.0")
			if err == nil && back.IsZero() {
				back = time.Now()
			}
			if err == nil && out[1] == flowMIB+".1.8.0 = INTEGER: 1000000" {
				answered = time.Now()
			}
			if !back.IsZero() && time.Since(back) > 20*time.Second {
				t.Fatalf("no answer: %v\n%s", err, strings.Join(out, "\n"))
			}
		}
		t.Logf("%v after snmpd's return", answered.Sub(back))
		if answered.Sub(back) > 2*time.Second {
			t.Errorf("the meter answers %v after snmpd's return", answered.Sub(back))
		}
		if got := m.must("snmpwalk", column); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%d flows, before %d", len(got), len(want))
		}
	}
}

// TestViews holds the documented snmpd.conf to what it promises.
func TestViews(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("mib/SNMP.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	address := tracetest.Address(t, "udp")
	conf := strings.NewReplacer("127.0.0.1:1161", address, "/var/agentx/master", filepath.Join(dir, "agentx")).Replace(string(text))
	writeDocFiles(t, dir, conf)
	f := embedded(t, address, "")
	m := &master{frontEnd: f, socket: "unix:" + filepath.Join(dir, "agentx")}
	m.dir = dir
	m.start()
	startMeter(t, m, "-C", "traces/testdata/sample.pcap").waitForEnd()

	as := func(name string) *frontEnd {
		password := "the " + name + "'s password"
		return &frontEnd{t, name, dir, address, []string{"-v3", "-l", "authPriv", "-u", name, "-a", "SHA-256", "-A", password,
			"-x", "AES", "-X", "its second password", "-t", "20", "-r", "0"}}
	}
	manager, reader, viewer := as("manager"), as("reader"), as("viewer")
	wrong := as("manager")
	wrong.args[8] = "the manager's passwort"
	open := as("manager")
	open.args[2] = "authNoPriv"
	community := &frontEnd{t, "public", dir, address, []string{"-v2c", "-c", "public", "-t", "0.5", "-r", "0"}}

	row := func(column, index int) string { return fmt.Sprintf("%s.1.3.1.%d.%d", flowMIB, column, index) }
	for _, tc := range []struct {
		by   *frontEnd
		tool string
		args []string
		want string
	}{
		{manager, "snmpset", []string{flowMIB + ".1.5.0", "i", "90"}, flowMIB + ".1.5.0 = INTEGER: 90"},
		{manager, "snmpget", []string{extensionMIB + ".1.2.1.0"}, "= Counter64: 2028"},
		{reader, "snmpget", []string{flowMIB + ".1.5.0"}, flowMIB + ".1.5.0 = INTEGER: 90"},
		{reader, "snmpset", []string{row(6, 5), "i", "4", row(7, 5), "i", "1"}, row(6, 5) + " = INTEGER: 4"},
		{reader, "snmpset", []string{row(4, 5), "t", "0"}, row(4, 5) + " = Timeticks: "},
		{reader, "snmpset", []string{row(6, 6), "i", "4", row(7, 6), "i", "1"}, "Reason: noAccess"},
		{reader, "snmpset", []string{row(4, 5), "t", "0", flowMIB + ".1.5.0", "i", "91"}, "Reason: noAccess"},
		{viewer, "snmpget", []string{flowMIB + ".1.5.0"}, flowMIB + ".1.5.0 = INTEGER: 90"},
		{viewer, "snmpset", []string{row(4, 5), "t", "0"}, "Reason: noAccess"},
		{viewer, "snmpset", []string{flowMIB + ".1.5.0", "i", "91"}, "Reason: noAccess"},
		{manager, "snmpget", []string{".1.3.6.1.2.1.2.1.0"}, "No Such Object"},            // not in the view
		{manager, "snmpget", []string{".1.3.6.1.6.3.15.1.2.2.1.3.1.1"}, "No Such Object"}, // nor are the users
		{wrong, "snmpget", []string{flowMIB + ".1.5.0"}, "Authentication failure"},
		{open, "snmpget", []string{flowMIB + ".1.5.0"}, "authorizationError"},
		{community, "snmpget", []string{flowMIB + ".1.5.0"}, "Timeout"},
	} {
		out, err := tc.by.run(tc.tool, tc.args...)
		if said := strings.Join(out, "\n"); !strings.Contains(said, tc.want) {
			t.Errorf("%s: %s %q: %v\n%s\nwant %q", tc.by.name, tc.tool, tc.args, err, said, tc.want)
		}
	}
}

// TestGrace ends a meter by SIGTERM: its flows can be read for the grace time.
func TestGrace(t *testing.T) {
	t.Parallel()
	meter := startMeter(t, nil, "-C", "traces/testdata/sample.pcap", "--grace", "60")
	active := flowMIB + ".1.7.0"
	meter.waitFor(active, "INTEGER: 3")
	meter.signal(syscall.SIGTERM)
	meter.process.wait(10*time.Second, func(out string) bool { return strings.Contains(out, "flows can still be read") })
	if got := meter.must("snmpget", active); got[0] != active+" = INTEGER: 3" {
		t.Errorf("after SIGTERM: %s", got[0])
	}
	if status := meter.signalAgain(syscall.SIGTERM, 10*time.Second); status != 0 {
		t.Errorf("exit status %d", status)
	}

	began := time.Now()
	meter = startMeter(t, nil, "-C", "traces/testdata/sample.pcap", "--pace", "--grace", "0.3")
	meter.signal(syscall.SIGINT)
	if status := meter.exit(10 * time.Second); status != 0 || time.Since(began) < 300*time.Millisecond {
		t.Errorf("exit status %d after %v", status, time.Since(began))
	}
}

// TestReopenLog renames a log and sends SIGHUP.
func TestReopenLog(t *testing.T) {
	t.Parallel()
	tracetest.Require(t, "snmpget")
	dir := t.TempDir()
	log, old := filepath.Join(dir, "log"), filepath.Join(dir, "log.1")
	cmd := exec.Command("rtfm", "meter", "-C", "traces/testdata/sample.pcap", "--snmp", tracetest.Address(t, "udp"), "--log", log)
	cmd.Env = append(os.Environ(), "RTFM_READ_COMMUNITY=not for the log", "RTFM_WRITE_COMMUNITY=this neither")
	p := startBeside(t, cmd)
	waitForText(t, log, "their flows can be read")
	if err := os.Rename(log, old); err != nil {
		t.Fatal(err)
	}
	p.signal(syscall.SIGHUP)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(log); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the log was not opened again")
		}
	}
	p.signal(syscall.SIGTERM)
	waitForText(t, log, "metering has ended")
	p.signalAgain(syscall.SIGTERM, 10*time.Second)
	before, err := os.ReadFile(old)
	if err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(before), "metering has ended") {
		t.Error("the log goes on to the renamed file")
	}
	if all := string(before) + string(after) + p.printed(); strings.Contains(all, "not for the log") || strings.Contains(all, "this neither") {
		t.Errorf("a community is in the log:\n%s", all)
	}
}

func waitForText(t *testing.T, path, text string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		got, err := os.ReadFile(path)
		if strings.Contains(string(got), text) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s has no %q: %v\n%s", path, text, err, got)
		}
	}
}

// TestCommunities gives communities in each of the ways there are.
func TestCommunities(t *testing.T) {
	t.Parallel()
	tracetest.Require(t, "snmpget")
	dir := t.TempDir()
	file := filepath.Join(dir, "community")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	mark := flowMIB + ".1.5.0"
	for _, tc := range []struct {
		name        string
		args, env   []string
		read, write string // communities; "" for none
		warning     bool
	}{
		{"file", []string{"--read-community-file", file}, nil, "from a file", "", false},
		{"environment", nil, []string{"RTFM_READ_COMMUNITY=from the environment", "RTFM_WRITE_COMMUNITY=to write"}, "from the environment", "to write", false},
		{"file before environment", []string{"--write-community-file", file}, []string{"RTFM_READ_COMMUNITY=Reader9", "RTFM_WRITE_COMMUNITY=Writer9"}, "Reader9", "from a file", false},
		{"command line", []string{"-r", "Reader9", "-wWriter9"}, nil, "Reader9", "Writer9", true},
		{"random", nil, nil, "", "", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			address := tracetest.Address(t, "udp")
			cmd := exec.Command("rtfm", append([]string{"meter", "-C", "traces/testdata/sample.pcap", "--snmp", address}, tc.args...)...)
			cmd.Env = append(append(os.Environ(), "RTFM_READ_COMMUNITY=", "RTFM_WRITE_COMMUNITY=", "XDG_RUNTIME_DIR="+dir), tc.env...)
			p := runBeside(t, cmd, func(out string) bool { return strings.Contains(out, "meter started") }, 20*time.Second)
			out := p.printed()
			if tc.name == "random" {
				m := regexp.MustCompile(`the read community is in (\S+)\n`).FindStringSubmatch(out)
				if m == nil || filepath.Dir(m[1]) != dir {
					t.Fatalf("printed %q", out)
				}
				info, err := os.Stat(m[1])
				if err != nil {
					t.Fatal(err)
				}
				text, err := os.ReadFile(m[1])
				if err != nil {
					t.Fatal(err)
				}
				tc.read = strings.TrimSuffix(string(text), "\n")
				if info.Mode().Perm() != 0o600 || len(tc.read) < 20 {
					t.Errorf("mode %v, %d octets", info.Mode(), len(tc.read))
				}
			}
			for _, secret := range []string{tc.read, tc.write} {
				if secret != "" && strings.Contains(out, secret) {
					t.Errorf("the community %q is in %q", secret, out)
				}
			}
			if got := strings.Contains(out, "warning: a community on the command line can be seen"); got != tc.warning {
				t.Errorf("warned: %v\n%s", got, out)
			}
			for _, who := range []struct {
				community   string
				read, write bool
			}{{tc.read, true, false}, {tc.write, tc.write != "", tc.write != ""}, {"public", false, false}} {
				if who.community == "" {
					continue
				}
				f := embedded(t, address, who.community)
				if !who.read {
					f.args[4] = "0.3" // -t
				}
				if _, err := f.run("snmpget", mark); (err == nil) != who.read {
					t.Errorf("%q reads: %v", who.community, err)
				}
				if _, err := f.run("snmpset", mark, "i", "90"); (err == nil) != who.write {
					t.Errorf("%q writes: %v", who.community, err)
				}
			}
		})
	}
}

// TestLoopback looks where a meter listens that was told a port only.
func TestLoopback(t *testing.T) {
	port := freePort(t)
	cmd := exec.Command("rtfm", "meter", "-C", "traces/testdata/sample.pcap", "-m"+port)
	cmd.Env = append(os.Environ(), "RTFM_READ_COMMUNITY=reader", "RTFM_WRITE_COMMUNITY=")
	runBeside(t, cmd, func(out string) bool { return strings.Contains(out, "address=127.0.0.1:"+port+" writable=false") }, 20*time.Second)
	// The port is free at all other addresses of the machine.
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		ip := a.(*net.IPNet).IP
		if ip.IsLinkLocalUnicast() {
			continue // takes the interface's name too
		}
		c, err := net.ListenPacket("udp", net.JoinHostPort(ip.String(), port))
		if ip.Equal(net.IPv4(127, 0, 0, 1)) == (err == nil) {
			t.Errorf("listening at port %s of %v: %v", port, ip, err)
		}
		if err == nil {
			c.Close()
		}
	}
}

// TestUser starts a meter as root that becomes another user: it reads a trace
// that only root may open, and removes its community when it ends.
func TestUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	for path, mode := range map[string]os.FileMode{filepath.Dir(dir): 0o755, dir: 0o777 | os.ModeSticky} { // as /tmp
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	sample, err := os.ReadFile("traces/testdata/sample.pcap")
	if err != nil {
		t.Fatal(err)
	}
	trace, log := filepath.Join(dir, "trace"), filepath.Join(dir, "log")
	if err := os.WriteFile(trace, sample, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("rtfm", "meter", "-C", trace, "--snmp", tracetest.Address(t, "udp"), "--log", log, "--user", "nobody", "--grace", "0")
	cmd.Env = append(os.Environ(), "RTFM_READ_COMMUNITY=", "XDG_RUNTIME_DIR="+dir)
	p := startBeside(t, cmd)
	waitForText(t, log, "the traces have ended")
	if text, err := os.ReadFile(log); err != nil || strings.Contains(string(text), "damaged") {
		t.Errorf("the log says, %v:\n%s", err, text)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Skip(err)
	}
	for _, want := range []string{"Uid:" + strings.Repeat("\t"+nobody.Uid, 4), "Gid:" + strings.Repeat("\t"+nobody.Gid, 4),
		"Groups:\t" + nobody.Gid + " ", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000"} {
		if !strings.Contains(string(status), want+"\n") {
			t.Errorf("no %q in\n%s", want, status)
		}
	}
	communities := func() []string {
		paths, err := filepath.Glob(filepath.Join(dir, "rtfm-community-*"))
		if err != nil {
			t.Fatal(err)
		}
		return paths
	}
	if n := len(communities()); n != 1 {
		t.Errorf("%d communities", n)
	}
	for _, path := range append(communities(), log) {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if owner := info.Sys().(*syscall.Stat_t).Uid; fmt.Sprint(owner) != nobody.Uid {
			t.Errorf("%s is user %d's", path, owner)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); len(communities()) > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the community is still there")
		}
	}
}
