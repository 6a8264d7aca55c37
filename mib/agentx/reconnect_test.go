package agentx_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/mib/agentx"
	"rtfm/mib/agentx/agentxtest"
	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
)

// TestRefusals has the master refuse, and later accept.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		typ  agentx.Type
		code agentx.Code
		op   string
	}{
		{agentx.Open, agentx.OpenFailed, "open"},
		{agentx.Register, agentx.DuplicateRegistration, "register " + base},
		{agentx.Ping, agentx.NotOpen, "ping"},
		{agentx.Notify, agentx.NotOpen, "notify"},
	} {
		t.Run(tt.typ.String(), func(t *testing.T) {
			m := agentxtest.Listen(t)
			m.Refuse = func(p *agentx.PDU) (code agentx.Code, silent bool) {
				if p.Type == tt.typ {
					code = tt.code
				}
				return code, false
			}
			sub, changes, _ := start(t, agentx.Config{Address: m.Address(), PingInterval: 20 * time.Millisecond}, rows(1))
			sub.Notify(smitest.OID(base + ".0.1"))
			m.Accept()
			m.Refuse = nil
			err := change(t, changes)
			if err == nil {
				err = change(t, changes)
			}
			var e *agentx.Error
			if !errors.As(err, &e) || e.Op != tt.op || !errors.Is(err, tt.code) {
				t.Errorf("the session ended with %v", err)
			}
			if want := "agentx: " + tt.op + ": " + tt.code.Error(); err.Error() != want {
				t.Errorf("error %q, want %q", err, want)
			}
			s := m.Accept()
			s.Registered(1)
			if got := show(s.Do(get(agentx.Get, ".2.1"))); got != ".2.1 = Integer32 1" {
				t.Errorf("afterwards: %s", got)
			}
		})
	}
}

// TestSilentMaster ends sessions in which the master says nothing more.
func TestSilentMaster(t *testing.T) {
	t.Parallel()
	for _, typ := range []agentx.Type{agentx.Open, agentx.Register, agentx.Ping, agentx.Notify} {
		t.Run(typ.String(), func(t *testing.T) {
			t.Parallel()
			m := agentxtest.Listen(t)
			m.Refuse = func(p *agentx.PDU) (agentx.Code, bool) { return 0, p.Type == typ }
			sub, _, _ := start(t, agentx.Config{Address: m.Address(), PingInterval: 20 * time.Millisecond, ResponseTimeout: time.Second}, rows(1))
			if typ == agentx.Notify {
				sub.Notify(smitest.OID(base + ".0.1"))
			}
			began := time.Now()
			s := m.Accept()
			m.Refuse = nil
			s.Ended()
			if d := time.Since(began); d < time.Second {
				t.Errorf("gave up after %v", d)
			}
			m.Accept().Registered(1)
			if typ == agentx.Notify && sub.Stats().NotifyFailed != 1 {
				t.Errorf("counts %+v", sub.Stats())
			}
		})
	}
}

// TestDeafMaster has the master stop reading: the subagent gets free of it by
// itself, and meanwhile Notify does not wait.
func TestDeafMaster(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("waits for a deadline of 5 s")
	}
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "m"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	sub, _, _ := start(t, agentx.Config{Address: l.Addr().String()}, smitest.New(smitest.Octets(base+".1.1", smi.OctetString, strings.Repeat("x", 60000))))
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	open, err := agentx.ReadPDU(conn, nil)
	if err != nil {
		t.Fatal(err)
	}
	var p agentx.PDU
	if err := p.Decode(open); err != nil {
		t.Fatal(err)
	}
	p.Type, p.SessionID = agentx.Response, 3
	req := get(agentx.Get, slices.Repeat([]string{".1.1"}, 16)...)
	req.SessionID = 3
	b := p.Append(nil)
	for range 4 {
		b = req.Append(b)
	}
	if _, err := conn.Write(b); err != nil {
		t.Fatal(err)
	}
	// In the middle of a response the master stops.
	for header := make([]byte, 20); agentx.Type(header[1]) != agentx.Response; {
		if _, err := io.ReadFull(conn, header); err != nil {
			t.Fatal(err)
		}
		if agentx.Type(header[1]) != agentx.Response {
			if _, err := agentx.ReadPDU(io.MultiReader(bytes.NewReader(header), conn), nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	began := time.Now()
	for range 1000 {
		sub.Notify(smitest.OID(base + ".0.1"))
	}
	if d := time.Since(began); d > time.Second {
		t.Errorf("notifying took %v", d)
	}
	if got := sub.Stats().NotifyLost; got != 1000-64 {
		t.Errorf("%d notifications dropped, want %d", got, 1000-64)
	}
	if err := l.(*net.UnixListener).SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	again, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

// TestReconnect restarts the master in every way and measures how soon the
// subagent is back.
func TestReconnect(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "m")
	m := agentxtest.ListenAt(t, "unix", path)
	sub, changes, _ := start(t, agentx.Config{Address: path}, rows(1))
	s := m.Accept()
	s.Registered(1)
	if err := change(t, changes); err != nil {
		t.Fatal(err)
	}
	changed := func(want ...string) {
		t.Helper()
		for _, op := range want {
			got := "up"
			if err := change(t, changes); err != nil {
				got = err.(*agentx.Error).Op
			}
			if got != op {
				t.Errorf("change %q, want %q", got, op)
			}
		}
	}
	back := func(why string, m *agentxtest.Master) {
		t.Helper()
		began := time.Now()
		s = m.Accept()
		s.Registered(1)
		if got := show(s.Do(get(agentx.Get, ".2.1"))); got != ".2.1 = Integer32 1" {
			t.Errorf("%s: then %s", why, got)
		}
		if d := time.Since(began); d > 2*time.Second {
			t.Errorf("%s: back after %v", why, d)
		}
	}
	s.Drop()
	back("connection dropped", m)
	changed("read", "up")
	r := s.Do(agentx.PDU{Header: agentx.Header{Type: agentx.Close}, Reason: agentx.ReasonByManager})
	if r.Error != agentx.NoError {
		t.Errorf("Close was answered with %v", r.Error)
	}
	back("session closed", m)
	changed("session", "up")
	m.Close()
	s.Drop()
	changed("read", "dial")
	time.Sleep(1500 * time.Millisecond) // the pauses between attempts have grown to their longest
	m = agentxtest.ListenAt(t, "unix", path)
	back("master gone for a while", m)
	changed("up")
	if n := len(changes); n > 0 {
		t.Errorf("%d more changes", n)
	}
	if got := sub.Stats().Sessions; got != 4 {
		t.Errorf("%d sessions counted", got)
	}
}

// TestAttempts has a master end each connection at once: the pauses between
// attempts do not go on growing. If they did, the tenth would come after half a
// minute.
func TestAttempts(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "m"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	start(t, agentx.Config{Address: l.Addr().String()}, rows(1))
	if err := l.(*net.UnixListener).SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		conn, err := l.Accept()
		if err != nil {
			t.Fatalf("attempt %d: %v", i+1, err)
		}
		conn.Close()
	}
}

func TestPings(t *testing.T) {
	m := agentxtest.Listen(t)
	start(t, agentx.Config{Address: m.Address(), PingInterval: 10 * time.Millisecond}, rows(1))
	s := m.Accept()
	for deadline := time.Now().Add(10 * time.Second); s.Pings() < 3; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no pings")
		}
	}
}
