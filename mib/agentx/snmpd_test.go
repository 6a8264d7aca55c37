package agentx_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rtfm/mib/agentx"
	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
	"rtfm/traces/tracetest"
)

// snmpd is net-snmp's agent on loopback, as an AgentX master.
type snmpd struct {
	t       testing.TB
	path    string
	config  string
	socket  string // of AgentX, as snmpd and Config take it
	address string // of SNMP
	timeout string // of the tools, in seconds
	traps   net.PacketConn
	cmd     *exec.Cmd
	stopped chan struct{} // closed when cmd has ended
}

// startSnmpd starts snmpd with a configuration of its own.
func startSnmpd(t testing.TB, network string, settings ...string) *snmpd {
	t.Helper()
	d := &snmpd{t: t, path: tracetest.Require(t, "snmpd"), timeout: "20"}
	tracetest.Require(t, "snmpget")
	dir := t.TempDir()
	var err error
	if d.traps, err = net.ListenPacket("udp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.traps.Close() })
	d.address = tracetest.Address(t, "udp")
	d.socket = "unix:" + filepath.Join(dir, "agentx")
	if network == "tcp" {
		d.socket = "tcp:" + tracetest.Address(t, "tcp")
	}
	d.config = filepath.Join(dir, "snmpd.conf")
	text := fmt.Sprintf("agentAddress udp:%s\nmaster agentx\nagentXSocket %s\nrwcommunity writer 127.0.0.1\ntrap2sink %s trapped\n%s\n",
		d.address, d.socket, d.traps.LocalAddr(), strings.Join(settings, "\n"))
	if err := os.WriteFile(d.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d.start()
	return d
}

func (d *snmpd) start() {
	d.t.Helper()
	d.cmd = exec.Command(d.path, "-f", "-Lo", "-C", "-c", d.config)
	d.cmd.Env = d.environ()
	log := new(bytes.Buffer)
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	cmd, stopped := d.cmd, make(chan struct{})
	d.stopped = stopped
	go func() {
		defer close(stopped)
		cmd.Wait() // it is always killed, which Wait calls an error
	}()
	d.t.Cleanup(func() {
		cmd.Process.Kill()
		<-stopped
		if d.t.Failed() {
			d.t.Logf("snmpd's log:\n%s", log)
		}
	})
}

// environ returns an environment that keeps net-snmp from the machine's own
// configuration and state.
func (d *snmpd) environ() []string {
	dir := filepath.Dir(d.config)
	return append(os.Environ(), "SNMPCONFPATH="+dir, "SNMP_PERSISTENT_DIR="+filepath.Join(dir, "state"), "MIBS=")
}

// kill ends snmpd at once.
func (d *snmpd) kill() {
	if err := d.cmd.Process.Kill(); err != nil {
		d.t.Fatal(err)
	}
	<-d.stopped
}

// run runs one of net-snmp's tools and returns what it prints, with its
// complaints if it fails. Names are shown as numbers below base.
func (d *snmpd) run(tool string, args ...string) (string, error) {
	args = append([]string{"-v2c", "-c", "writer", "-On", "-Oe", "-t", d.timeout, "-r", "0", d.address}, args...)
	if tool == "snmpbulkget" {
		args = append([]string{"-Cn0", "-Cr3"}, args...)
	}
	cmd := exec.Command(tool, args...)
	cmd.Env = d.environ()
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		out = append(out, complaints.String()...)
	}
	return strings.ReplaceAll(strings.TrimSpace(string(out)), "."+base, ""), err
}

func (d *snmpd) expect(want, tool string, args ...string) {
	d.t.Helper()
	got, err := d.run(tool, args...)
	if err != nil || got != want {
		d.t.Errorf("%s %q: %v\n%s\nwant\n%s", tool, args, err, got, want)
	}
}

// expectFailure looks for text in the output of a tool that fails.
func (d *snmpd) expectFailure(tool string, args []string, texts ...string) {
	d.t.Helper()
	got, err := d.run(tool, args...)
	for _, text := range texts {
		if err == nil || !strings.Contains(got, text) {
			d.t.Errorf("%s %.100q: %v\n%s\nwant %q", tool, args, err, got, text)
		}
	}
}

// up waits until all is registered.
func up(t testing.TB, changes <-chan error) {
	t.Helper()
	for change(t, changes) != nil {
	}
}

func TestSnmpd(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		t.Run(network, func(t *testing.T) {
			d := startSnmpd(t, network)
			table := rows(5)
			sub, changes, stop := start(t, agentx.Config{Address: d.socket, Descr: "test"}, table)
			up(t, changes)

			d.expect(`.1.1 = STRING: "row 1"`, "snmpget", base+".1.1")
			d.expect(".2.2 = INTEGER: 2\n.1.4 = STRING: \"row 4\"\n.1.9 = No Such Instance currently exists at this OID\n.7.0 = No Such Object available on this agent at this OID",
				"snmpget", base+".2.2", base+".1.4", base+".1.9", base+".7.0")
			d.expect(".1.1 = STRING: \"row 1\"\n.2.1 = INTEGER: 1\n.2.1 = INTEGER: 1", "snmpgetnext", base, base+".1.5", base+".2")
			d.expect(".1.1 = STRING: \"row 1\"\n.2.3 = INTEGER: 3\n.1.2 = STRING: \"row 2\"\n.2.4 = INTEGER: 4\n.1.3 = STRING: \"row 3\"\n.2.5 = INTEGER: 5",
				"snmpbulkget", base+".1", base+".2.2")
			walk, err := d.run("snmpwalk", base)
			if lines := strings.Split(walk, "\n"); err != nil || len(lines) != 10 || lines[9] != ".2.5 = INTEGER: 5" {
				t.Errorf("walk: %v\n%s", err, walk)
			}

			d.expect(".2.1 = INTEGER: 71\n.1.2 = STRING: \"new\"", "snmpset", base+".2.1", "i", "71", base+".1.2", "s", "new")
			d.expect(".2.1 = INTEGER: 71\n.1.2 = STRING: \"new\"", "snmpget", base+".2.1", base+".1.2")
			checkCalls(t, table, "test 2", "commit", "cleanup")
			d.expectFailure("snmpset", []string{base + ".2.1", "i", "72", base + ".1.2", "i", "1"}, "wrongType", "Failed object: .1.2")
			checkCalls(t, table, "test 2")
			d.expectFailure("snmpset", []string{base + ".2.9", "i", "72"}, "noCreation")
			checkCalls(t, table, "test 1")
			table.SetFaults(smitest.Faults{Commit: &smi.Error{Status: smi.CommitFailed, Index: 2}})
			d.expectFailure("snmpset", []string{base + ".2.1", "i", "73", base + ".1.2", "s", "newer"}, "commitFailed", "Failed object: .1.2")
			checkCalls(t, table, "test 2", "commit", "undo", "cleanup")
			table.SetFaults(smitest.Faults{Commit: &smi.Error{Status: smi.CommitFailed, Index: 1}, Undo: &smi.Error{Status: smi.UndoFailed, Index: 1}})
			d.expectFailure("snmpset", []string{base + ".2.1", "i", "74"}, "undoFailed")
			checkCalls(t, table, "test 1", "commit", "undo", "cleanup")
			table.SetFaults(smitest.Faults{Get: &smi.Error{Status: smi.GenErr, Index: 1}})
			d.expectFailure("snmpget", []string{base + ".2.1"}, "genErr")
			table.SetFaults(smitest.Faults{})
			d.expect(".2.1 = INTEGER: 71\n.1.2 = STRING: \"new\"", "snmpget", base+".2.1", base+".1.2")

			stop()
			const gone = ".2.1 = No Such Object available on this agent at this OID"
			for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) { // snmpd may not know yet
				got, err := d.run("snmpget", base+".2.1")
				if err == nil && got == gone {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("after the subagent's end: %v\n%s", err, got)
				}
			}
			if st := sub.Stats(); st.Sessions != 1 || st.BadPDUs != 0 || st.SetsUndone != 0 {
				t.Errorf("counts %+v", st)
			}
		})
	}
}

func checkCalls(t *testing.T, table *smitest.Table, want ...string) {
	t.Helper()
	// CleanupSet has no response: it may still be on its way when the manager
	// has its own.
	var got []string
	for deadline := time.Now().Add(20 * time.Second); len(got) < len(want) && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		got = append(got, table.Calls()...)
	}
	if !slices.Equal(got, want) {
		t.Errorf("calls %q, want %q", got, want)
	}
	if table.Open() != 0 {
		t.Errorf("%d transactions are open", table.Open())
	}
}

// TestSnmpdTypes reads a value of every type through snmpd.
func TestSnmpdTypes(t *testing.T) {
	d := startSnmpd(t, "unix")
	_, changes, _ := start(t, agentx.Config{Address: d.socket}, smitest.New(
		smitest.Int(base+".1.0", -5), smitest.Octets(base+".2.0", smi.OctetString, "text"), smitest.Ref(base+".3.0", "1.3.6.1.2.1.40"),
		smitest.Octets(base+".4.0", smi.IpAddress, "\xc0\x00\x02\x01"), smitest.Uint(base+".5.0", smi.Counter32, 1<<32-1),
		smitest.Uint(base+".6.0", smi.Gauge32, 1<<31), smitest.Uint(base+".7.0", smi.TimeTicks, 100),
		smitest.Octets(base+".8.0", smi.Opaque, "\x04\x01x"), smitest.Uint(base+".9.0", smi.Counter64, 1<<64-1), smitest.Octets(base+".10.0", smi.OctetString, "")))
	up(t, changes)
	want := strings.Join([]string{
		".1.0 = INTEGER: -5", `.2.0 = STRING: "text"`, ".3.0 = OID: .1.3.6.1.2.1.40", ".4.0 = IpAddress: 192.0.2.1", ".5.0 = Counter32: 4294967295",
		".6.0 = Gauge32: 2147483648", ".7.0 = Timeticks: (100) 0:00:01.00", ".8.0 = OPAQUE: 04 01 78", ".9.0 = Counter64: 18446744073709551615", `.10.0 = ""`,
	}, "\n")
	got, err := d.run("snmpwalk", base)
	got = strings.ReplaceAll(strings.ReplaceAll(got, " \n", "\n"), "  ", " ")
	if err != nil || got != want {
		t.Errorf("walk: %v\n%s\nwant\n%s", err, got, want)
	}
}

// TestSnmpdLargeSet sets 500 variables at once.
func TestSnmpdLargeSet(t *testing.T) {
	d := startSnmpd(t, "unix")
	table := rows(500)
	_, changes, _ := start(t, agentx.Config{Address: d.socket}, table)
	up(t, changes)
	var vbs []smi.VarBind
	for i := range 500 {
		vbs = append(vbs, smitest.Int(fmt.Sprintf("%s.2.%d", base, i+1), int32(1000+i)))
	}
	if status, index, got := d.set(vbs); status != 0 || len(got) != 500 {
		t.Fatalf("error %v at %d, %d variables", status, index, len(got))
	}
	checkCalls(t, table, "test 500", "commit", "cleanup")
	for i := range 500 {
		if vb, _ := table.Lookup(fmt.Sprintf("%s.2.%d", base, i+1)); vb.Value.Int != int32(1000+i) {
			t.Fatalf("row %d is %v", i+1, &vb.Value)
		}
	}
	vbs[417].Value.SetOctets(smi.OctetString, []byte("x"))
	if status, index, _ := d.set(vbs); status != smi.WrongType || index != 418 {
		t.Errorf("error %v at %d", status, index)
	}
}

// set sends a SetRequest, which may be longer than snmpset makes them, and
// returns what is in the response.
func (d *snmpd) set(vbs []smi.VarBind) (smi.Status, int32, []smi.VarBind) {
	d.t.Helper()
	conn := d.dial()
	defer conn.Close()
	b := d.exchange(conn, request(0xa3, 0, 0, vbs))
	status, index, vbs, err := message(b, 0xa2)
	if err != nil {
		d.t.Fatal(err)
	}
	return smi.Status(status), index, vbs
}

func (d *snmpd) dial() net.Conn {
	d.t.Helper()
	conn, err := net.Dial("udp", d.address)
	if err != nil {
		d.t.Fatal(err)
	}
	return conn
}

// exchange sends a message and returns the answer.
func (d *snmpd) exchange(conn net.Conn, msg []byte) []byte {
	d.t.Helper()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		d.t.Fatal(err)
	}
	if _, err := conn.Write(msg); err != nil {
		d.t.Fatal(err)
	}
	buf := make([]byte, 65536)
	n, err := conn.Read(buf)
	if err != nil {
		d.t.Fatal(err)
	}
	return buf[:n]
}

// request returns an SNMPv2c message with a PDU of this tag, whose second and
// third number are a GetBulk's non-repeaters and max-repetitions.
func request(tag byte, second, third int64, vbs []smi.VarBind) []byte {
	var list []byte
	for i := range vbs {
		list = vbs[i].AppendBER(list)
	}
	wrap := func(tag byte, b []byte) []byte { return append(smi.AppendBERHeader(nil, tag, len(b)), b...) }
	pdu := smi.AppendBERInt(smi.AppendBERInt([]byte{2, 1, 77}, second), third)
	msg := append([]byte{2, 1, 1, 4, 6}, "writer"...)
	return wrap(smi.TagSequence, append(msg, wrap(tag, append(pdu, wrap(smi.TagSequence, list)...))...))
}

// TestSnmpdKilled kills snmpd while it is being asked, starts it again, and
// measures how long it takes until the subagent answers again.
func TestSnmpdKilled(t *testing.T) {
	t.Parallel()
	d := startSnmpd(t, "unix")
	sub, changes, _ := start(t, agentx.Config{Address: d.socket}, rows(100))
	up(t, changes)
	d.timeout = "0.1"
	for range 2 {
		var wg sync.WaitGroup
		wg.Go(func() { d.run("snmpwalk", base) })
		time.Sleep(10 * time.Millisecond)
		d.kill()
		wg.Wait()
		time.Sleep(1200 * time.Millisecond) // the pauses between attempts have grown to their longest
		d.start()
		began := time.Now()
		var returned time.Duration // of snmpd itself
		for {
			got, err := d.run("snmpget", "1.3.6.1.2.1.1.3.0", base+".2.7")
			if err == nil && returned == 0 {
				returned = time.Since(began)
			}
			if err == nil && strings.HasSuffix(got, ".2.7 = INTEGER: 7") {
				break
			}
			if returned != 0 && time.Since(began)-returned > 20*time.Second {
				t.Fatalf("no answer: %v\n%s", err, got)
			}
		}
		after := time.Since(began) - returned
		t.Logf("snmpd was back after %v, the subagent %v later", returned, after)
		if after > 2*time.Second {
			t.Errorf("the subagent answers %v after snmpd's return", after)
		}
	}
	if st := sub.Stats(); st.Sessions != 3 {
		t.Errorf("counts %+v", st)
	}
}

// TestSnmpdHung lets the Handler hang until snmpd drops the session, and
// expects that the subagent is back soon after the Handler is.
func TestSnmpdHung(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for snmpd's timeouts")
	}
	d := startSnmpd(t, "unix", "agentXTimeout 1", "agentXRetries 0")
	h := &hanging{Table: rows(3), release: make(chan struct{})}
	_, changes, _ := start(t, agentx.Config{Address: d.socket}, h)
	up(t, changes)
	if got, err := d.run("snmpset", base+".2.1", "i", "5"); err == nil {
		t.Fatalf("a Set that hangs succeeded: %s", got)
	}
	for began := time.Now(); ; {
		if got, err := d.run("snmpget", base+".2.1"); err == nil && strings.Contains(got, "No Such") {
			break // the session is dropped
		}
		if time.Since(began) > 20*time.Second {
			t.Fatal("snmpd waits for the subagent")
		}
	}
	close(h.release)
	began := time.Now()
	for {
		got, err := d.run("snmpget", base+".2.1")
		if err == nil && got == ".2.1 = INTEGER: 1" {
			break
		}
		if time.Since(began) > 20*time.Second {
			t.Fatalf("no answer: %v\n%s", err, got)
		}
	}
	t.Logf("back after %v", time.Since(began))
	if h.Open() != 0 {
		t.Errorf("%d transactions are open", h.Open())
	}
}

// hanging is a Table whose first Test waits.
type hanging struct {
	*smitest.Table
	release chan struct{}
}

func (h *hanging) Test(vbs []smi.VarBind) (smi.Transaction, error) {
	<-h.release
	return h.Table.Test(vbs)
}

// TestSnmpdNotify has snmpd send a trap.
func TestSnmpdNotify(t *testing.T) {
	d := startSnmpd(t, "unix")
	sub, changes, _ := start(t, agentx.Config{Address: d.socket}, rows(1))
	up(t, changes)
	sub.Notify(smitest.OID(base+".0.1"), smitest.Int(base+".2.1", 5), smitest.Octets(base+".1.1", smi.OctetString, "lost"))
	buf := make([]byte, 65536)
	for {
		if err := d.traps.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, _, err := d.traps.ReadFrom(buf)
		if err != nil {
			t.Fatal(err)
		}
		_, _, vbs, err := message(buf[:n], 0xa7)
		if err != nil || len(vbs) < 2 {
			t.Fatal(vbs, err)
		}
		if vbs[1].Value.OID.String() != base+".0.1" { // snmpd's own, such as coldStart
			continue
		}
		if len(vbs) != 4 || vbs[0].Name.String() != "1.3.6.1.2.1.1.3.0" || vbs[2].Value.Int != 5 || string(vbs[3].Value.Octets) != "lost" {
			t.Errorf("the trap has %v", vbs)
		}
		break
	}
}

// message returns what is in an SNMPv2c message whose PDU has this tag.
func message(b []byte, tag byte) (status, index int32, vbs []smi.VarBind, err error) {
	d := smi.NewDecoder(b)
	enter := func(tag byte) {
		if err == nil {
			d, err = d.Expect(tag)
		}
	}
	integer := func() (n int32) {
		if err == nil {
			n, err = d.Int()
		}
		return n
	}
	enter(smi.TagSequence)
	integer()
	if err == nil {
		_, err = d.Octets()
	}
	enter(tag)
	integer()
	status, index = integer(), integer()
	enter(smi.TagSequence)
	for err == nil && d.Len() > 0 {
		var vb smi.VarBind
		err = d.VarBind(&vb)
		vbs = append(vbs, vb)
	}
	return status, index, vbs, err
}

// BenchmarkSnmpd has snmpd ask for strings of 60 octets: GetBulk requests of
// 25 columns and 4 repetitions, one after the other.
func BenchmarkSnmpd(b *testing.B) {
	d := startSnmpd(b, "unix")
	var vbs, ask []smi.VarBind
	for column := range 25 {
		ask = append(ask, smitest.None(fmt.Sprintf("%s.%d", base, column+1), smi.Null))
		for i := range 1000 {
			vbs = append(vbs, smitest.Octets(fmt.Sprintf("%s.%d.%d", base, column+1, i+1), smi.OctetString, strings.Repeat("x", 60)))
		}
	}
	_, changes, _ := start(b, agentx.Config{Address: d.socket}, smitest.New(vbs...))
	up(b, changes)
	conn := d.dial()
	defer conn.Close()
	msg := request(0xa5, 0, 4, ask)
	for b.Loop() {
		if _, _, got, err := message(d.exchange(conn, msg), 0xa2); err != nil || len(got) != 100 {
			b.Fatal(len(got), err)
		}
	}
	b.ReportMetric(100*float64(b.N)/b.Elapsed().Seconds(), "variables/s")
}
