package agentx_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rtfm/mib/agentx"
	"rtfm/mib/agentx/agentxtest"
	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
)

const base = "1.3.6.1.4.1.8072.9999.9999.2720"

// start runs a Subagent of h until the test ends. The channel has what Changed
// is called with.
func start(t testing.TB, cfg agentx.Config, h smi.Handler) (*agentx.Subagent, <-chan error, context.CancelFunc) {
	t.Helper()
	changes := make(chan error, 100)
	cfg.Changed = func(err error) { changes <- err }
	if cfg.Subtrees == nil {
		cfg.Subtrees = []smi.OID{smitest.OID(base)}
	}
	s, err := agentx.New(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.Run(ctx) })
	stop := func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	return s, changes, stop
}

// connect starts a Subagent of h and a Master and returns the session.
func connect(t testing.TB, h smi.Handler) (*agentxtest.Session, *agentx.Subagent) {
	t.Helper()
	m := agentxtest.Listen(t)
	sub, _, _ := start(t, agentx.Config{Address: m.Address()}, h)
	s := m.Accept()
	s.Registered(1)
	return s, sub
}

func change(t testing.TB, ch <-chan error) error {
	t.Helper()
	select {
	case err := <-ch:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("no change of state")
		return nil
	}
}

// rows is a table of n strings and n numbers.
func rows(n int) *smitest.Table {
	var vbs []smi.VarBind
	for i := range n {
		vbs = append(vbs,
			smitest.Octets(fmt.Sprintf("%s.1.%d", base, i+1), smi.OctetString, fmt.Sprint("row ", i+1)),
			smitest.Int(fmt.Sprintf("%s.2.%d", base, i+1), int32(i+1)))
	}
	return smitest.New(vbs...)
}

func get(t agentx.Type, names ...string) agentx.PDU {
	p := agentx.PDU{Header: agentx.Header{Type: t, TransactionID: 9}}
	for _, n := range names {
		n, include := strings.CutSuffix(n, "+")
		n, end, ok := strings.Cut(n, "/")
		r := smi.Range{Start: smitest.OID(base + n), Include: include}
		if ok {
			r.End = smitest.OID(base + end)
		}
		p.Ranges = append(p.Ranges, r)
	}
	return p
}

func show(p *agentx.PDU) string {
	if p.Error != agentx.NoError {
		return fmt.Sprintf("%v %d", p.Error, p.Index)
	}
	var s []string
	for i := range p.Vars {
		s = append(s, strings.TrimPrefix(p.Vars[i].String(), base))
	}
	return strings.Join(s, ", ")
}

func TestRequests(t *testing.T) {
	bulk := get(agentx.GetBulk, ".2.2", ".1", ".2")
	bulk.NonRepeaters, bulk.MaxRepetitions = 1, 2
	long := get(agentx.GetBulk, ".2")
	long.MaxRepetitions = 65535
	tests := []struct {
		name string
		req  agentx.PDU
		want string
	}{
		{"get", get(agentx.Get, ".1.1"), `.1.1 = OCTET STRING "row 1"`},
		{"get many", get(agentx.Get, ".2.2", ".1.4", ".2.1", ".7.0"), `.2.2 = Integer32 2, .1.4 = noSuchInstance, .2.1 = Integer32 1, .7.0 = noSuchObject`},
		{"get nothing", get(agentx.Get), ""},
		{"next", get(agentx.GetNext, ".1.3", ".2.3", ".2"), `.2.1 = Integer32 1, .2.3 = endOfMibView, .2.1 = Integer32 1`},
		{"next with include", get(agentx.GetNext, ".1.2+", ".1.4+"), `.1.2 = OCTET STRING "row 2", .2.1 = Integer32 1`},
		{"next in scope", get(agentx.GetNext, ".1.2/.1.3", ".1.2/.1.4"), `.1.2 = endOfMibView, .1.3 = OCTET STRING "row 3"`},
		{"bulk", bulk, `.2.3 = Integer32 3, .1.1 = OCTET STRING "row 1", .2.1 = Integer32 1, .1.2 = OCTET STRING "row 2", .2.2 = Integer32 2`},
		{"bulk to the end", long, `.2.1 = Integer32 1, .2.2 = Integer32 2, .2.3 = Integer32 3, .2.3 = endOfMibView`},
		{"context", agentx.PDU{Header: agentx.Header{Type: agentx.Get, Flags: agentx.NonDefaultContext}, Context: []byte("other")}, "unsupportedContext 0"},
		{"not for a subagent", agentx.PDU{Header: agentx.Header{Type: agentx.Register}}, "processingError 0"},
	}
	for _, order := range []agentx.Flags{0, agentx.NetworkByteOrder} {
		s, sub := connect(t, rows(3))
		s.Flags = order
		for _, split := range []int{0, 1, 7} {
			s.Split = split
			for _, tt := range tests {
				if got := show(s.Do(tt.req)); got != tt.want {
					t.Errorf("flags %#x, writes of %d: %s: got %s, want %s", order, split, tt.name, got, tt.want)
				}
			}
		}
		if got, want := sub.Stats().Requests, uint64(3*(len(tests)-1)); got != want {
			t.Errorf("%d requests counted, want %d", got, want)
		}
	}
}

// TestContext has a subagent register, notify and answer in a context, and in no other.
func TestContext(t *testing.T) {
	m := agentxtest.Listen(t)
	seen := make(chan string, 100)
	m.Refuse = func(p *agentx.PDU) (agentx.Code, bool) {
		seen <- fmt.Sprintf("%v %q", p.Type, p.Context)
		if p.Type == agentx.AddAgentCaps { // which is no reason to end the session
			return agentx.RequestDenied, false
		}
		return agentx.NoError, false
	}
	sub, _, _ := start(t, agentx.Config{
		Address: m.Address(), Context: "west", PingInterval: time.Millisecond, Capabilities: []smi.Capability{{ID: smitest.OID(base + ".3.1"), Descr: "rows"}},
	}, rows(3))
	s := m.Accept()
	s.Registered(1)
	sub.Notify(smitest.OID(base + ".0.1"))
	s.Notified()
	ask := get(agentx.Get, ".1.1")
	ask.Flags, ask.Context = agentx.NonDefaultContext, []byte("west")
	for context, want := range map[string]string{"west": `.1.1 = OCTET STRING "row 1"`, "east": "unsupportedContext 0", "": "unsupportedContext 0"} {
		ask.Context = []byte(context)
		if got := show(s.Do(ask)); got != want {
			t.Errorf("context %q: %s, want %s", context, got, want)
		}
	}
	if got := show(s.Do(get(agentx.Get, ".1.1"))); got != "unsupportedContext 0" {
		t.Errorf("the default context: %s", got)
	}
	want := map[string]bool{`Open ""`: true, `Register "west"`: true, `AddAgentCaps "west"`: true, `Notify "west"`: true, `Ping ""`: true}
	for len(want) > 0 {
		select {
		case got := <-seen:
			delete(want, got)
			if !strings.HasPrefix(got, "Ping") && strings.HasSuffix(got, `""`) != strings.HasPrefix(got, "Open") {
				t.Errorf("the master is sent %s", got)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("the master was not sent %v", want)
		}
	}
	if _, err := agentx.New(agentx.Config{Context: strings.Repeat("x", 33)}, rows(1)); err == nil {
		t.Error("a context of 33 octets is taken")
	}
}

// TestCoalesced sends many requests with one write and expects every response.
func TestCoalesced(t *testing.T) {
	s, _ := connect(t, rows(3))
	var b []byte
	for i := range 50 {
		p := get(agentx.Get, ".2.1", ".2.2")
		p.SessionID, p.PacketID = agentxtest.SessionID, uint32(1000+i)
		b = p.Append(b)
	}
	s.SendOctets(b)
	for i := range 50 {
		if r := s.Receive(); r.PacketID != uint32(1000+i) || len(r.Vars) != 2 {
			t.Fatalf("response %d: %+v", i, r)
		}
	}
}

// TestBrokenRequests has requests with a sound header answered, and the
// session live on.
func TestBrokenRequests(t *testing.T) {
	s, sub := connect(t, rows(3))
	sound := get(agentx.Get, ".2.1")
	sound.SessionID, sound.PacketID = agentxtest.SessionID, 77
	for _, tt := range []struct {
		name  string
		spoil func([]byte) []byte
		want  agentx.Code
	}{
		{"unknown type", func(b []byte) []byte { b[1] = 99; return b }, agentx.ParseError},
		{"OID too long", func(b []byte) []byte { b[20] = 200; return b }, agentx.ParseError},
		{"payload odd", func(b []byte) []byte { b[16]++; return append(b, 0) }, agentx.ParseError},
		{"another session", func(b []byte) []byte { b[4]++; return b }, agentx.NotOpen},
	} {
		s.SendOctets(tt.spoil(sound.Append(nil)))
		if r := s.Receive(); r.Error != tt.want || r.PacketID != 77 {
			t.Errorf("%s: %v in response to %d", tt.name, r.Error, r.PacketID)
		}
	}
	stray := agentx.PDU{Header: agentx.Header{Type: agentx.Response}}
	broken := agentx.PDU{Header: agentx.Header{Type: agentx.Response}, Vars: []smi.VarBind{smitest.Int("1.3", 1)}}
	s.Send(stray)
	b := broken.Append(nil)
	b[29] = 7 // type of the value
	s.SendOctets(b)
	bad := agentx.PDU{Header: agentx.Header{Type: agentx.CleanupSet, SessionID: 1}}
	s.SendOctets(bad.Append(nil))
	s.Silent(50 * time.Millisecond)
	if got := show(s.Do(get(agentx.Get, ".2.1"))); got != ".2.1 = Integer32 1" {
		t.Errorf("afterwards: %s", got)
	}
	if got := sub.Stats().BadPDUs; got != 7 {
		t.Errorf("%d bad PDUs counted, want 7", got)
	}
}

// TestGarbage ends the session, as nobody knows where the next PDU begins, and
// the next one serves.
func TestGarbage(t *testing.T) {
	huge := agentx.PDU{Header: agentx.Header{Type: agentx.Get, Flags: agentx.NetworkByteOrder}}
	tooLong := huge.Append(nil)
	tooLong[16] = 0x7f
	for name, b := range map[string][]byte{
		"text":        []byte(strings.Repeat("HTTP/1.1 400 Bad Request\r\n", 3)),
		"too long":    tooLong,
		"half a PDU":  append(huge.Append(nil)[:19], 0x40),
		"half header": huge.Append(nil)[:7],
	} {
		t.Run(name, func(t *testing.T) {
			m := agentxtest.Listen(t)
			_, changes, _ := start(t, agentx.Config{Address: m.Address()}, rows(3))
			s := m.Accept()
			if err := change(t, changes); err != nil {
				t.Fatal(err)
			}
			s.SendOctets(b)
			if strings.HasPrefix(name, "half") {
				s.Drop()
			} else {
				s.Ended()
			}
			var e *agentx.Error
			if err := change(t, changes); !errors.As(err, &e) || e.Op != "read" {
				t.Errorf("the session ended with %v", err)
			}
			s = m.Accept()
			s.Registered(1)
			if got := show(s.Do(get(agentx.Get, ".2.1"))); got != ".2.1 = Integer32 1" {
				t.Errorf("afterwards: %s", got)
			}
		})
	}
}

func TestHandlerErrors(t *testing.T) {
	table := rows(3)
	s, _ := connect(t, table)
	fault := &smi.Error{Status: smi.GenErr, Index: 2}
	table.SetFaults(smitest.Faults{Get: fault, Next: fault})
	bulk := get(agentx.GetBulk, ".1", ".2", ".1")
	bulk.NonRepeaters, bulk.MaxRepetitions = 1, 2
	for _, tt := range []struct {
		req  agentx.PDU
		want string
	}{
		{get(agentx.Get, ".1.1", ".1.2"), "genErr 2"},
		{get(agentx.GetNext, ".1.1", ".1.2"), "genErr 2"},
		{bulk, "genErr 2"},
	} {
		if r := s.Do(tt.req); show(r) != tt.want || len(r.Vars) != 0 {
			t.Errorf("%v: %v", tt.req.Type, show(r))
		}
	}
}

// TestLongResponse asks for more than a PDU can hold.
func TestLongResponse(t *testing.T) {
	s, _ := connect(t, smitest.New(smitest.Octets(base+".1.1", smi.OctetString, strings.Repeat("x", 60000))))
	if r := s.Do(get(agentx.Get, slices.Repeat([]string{".1.1"}, 17)...)); len(r.Vars) != 17 {
		t.Errorf("17 variables: %d, %v", len(r.Vars), r.Error)
	}
	if got := show(s.Do(get(agentx.Get, slices.Repeat([]string{".1.1"}, 30)...))); got != "genErr 18" {
		t.Errorf("30 variables: %.100s", got)
	}
	bulk := get(agentx.GetBulk, slices.Repeat([]string{".1"}, 30)...)
	bulk.MaxRepetitions = 9
	if r := s.Do(bulk); r.Error != agentx.NoError || len(r.Vars) != 17 {
		t.Errorf("bulk: %v with %d variables", r.Error, len(r.Vars))
	}
	if r := s.Do(get(agentx.Get, slices.Repeat([]string{".1.1"}, 4097)...)); r.Error != agentx.Code(smi.ResourceUnavailable) {
		t.Errorf("4097 variables: %v", r.Error)
	}
}

func TestNewErrors(t *testing.T) {
	for _, a := range []string{"udp:localhost:705", "unix:", "localhost", "tcp:705", "ssh:localhost:705"} {
		if _, err := agentx.New(agentx.Config{Address: a}, nil); err == nil || !strings.Contains(err.Error(), "neither unix:PATH nor tcp:HOST:PORT") {
			t.Errorf("address %q: %v", a, err)
		}
	}
	for _, a := range []string{"", "unix:master", "/var/agentx/master", "./master", "tcp:localhost:705", "localhost:705", "tcp:[::1]:705"} {
		if _, err := agentx.New(agentx.Config{Address: a}, nil); err != nil {
			t.Errorf("address %q: %v", a, err)
		}
	}
}

// TestAddresses connects by every form of address.
func TestAddresses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m")
	unix := agentxtest.ListenAt(t, "unix", path)
	tcp := agentxtest.ListenAt(t, "tcp", "127.0.0.1:0")
	for address, m := range map[string]*agentxtest.Master{
		path: unix, "unix:" + path: unix, tcp.Address(): tcp, strings.TrimPrefix(tcp.Address(), "tcp:"): tcp,
	} {
		_, _, stop := start(t, agentx.Config{Address: address}, rows(1))
		s := m.Accept()
		s.Registered(1)
		if got := show(s.Do(get(agentx.Get, ".2.1"))); got != ".2.1 = Integer32 1" {
			t.Errorf("%s: %s", address, got)
		}
		stop()
		if r := s.Closed(); r != agentx.ReasonShutdown {
			t.Errorf("%s: closed for reason %v", address, r)
		}
	}
}

func TestRegistersAll(t *testing.T) {
	m := agentxtest.Listen(t)
	cfg := agentx.Config{Address: m.Address(), ID: smitest.OID("1.3.6.1.4.1.1"), Descr: "test", Subtrees: []smi.OID{smitest.OID("1.3.6.1.2.1.40"), smitest.OID(base)}}
	var mu sync.Mutex
	var opens []string
	m.Refuse = func(p *agentx.PDU) (agentx.Code, bool) {
		mu.Lock()
		defer mu.Unlock()
		opens = append(opens, fmt.Sprintf("%v %v %q %d", p.Type, p.OID, p.Descr, p.Priority))
		return 0, false
	}
	_, changes, _ := start(t, cfg, rows(1))
	s := m.Accept()
	if got := s.Registered(2); got[0].String() != "1.3.6.1.2.1.40" || got[1].String() != base {
		t.Errorf("registered %v", got)
	}
	if err := change(t, changes); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if want := []string{`Open 1.3.6.1.4.1.1 "test" 0`, `Register 1.3.6.1.2.1.40 "" 127`, `Register ` + base + ` "" 127`}; !slices.Equal(opens, want) {
		t.Errorf("sent %q, want %q", opens, want)
	}
}

func TestNotify(t *testing.T) {
	m := agentxtest.Listen(t)
	m.Refuse = func(p *agentx.PDU) (agentx.Code, bool) {
		if p.Type == agentx.Notify && len(p.Vars) == 1 {
			return agentx.ProcessingError, false
		}
		return 0, false
	}
	sub, _, _ := start(t, agentx.Config{Address: m.Address()}, rows(1))
	long := smitest.Octets(base+".9.0", smi.OctetString, strings.Repeat("x", agentx.MaxPDU))
	value := smitest.Int(base+".2.1", 5)
	sub.Notify(smitest.OID(base+".0.1"), value) // before there is a session
	s := m.Accept()
	sub.Notify(smitest.OID(base+".0.2"), long)
	sub.Notify(smitest.OID(base + ".0.3")) // refused
	sub.Notify(smitest.OID(base+".0.4"), value)
	for _, want := range []string{".0.1", ".0.4"} {
		vbs := s.Notified()
		p := agentx.PDU{Vars: vbs}
		if got, want := show(&p), "1.3.6.1.6.3.1.1.4.1.0 = OBJECT IDENTIFIER "+base+want+", .2.1 = Integer32 5"; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); sub.Stats().NotifySent < 2 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if st := sub.Stats(); st.NotifySent != 2 || st.NotifyFailed != 1 || st.NotifyLost != 1 {
		t.Errorf("counts %+v", st)
	}
}

// TestNotifyQueue drops the oldest of what nobody takes.
func TestNotifyQueue(t *testing.T) {
	m := agentxtest.Listen(t)
	sub, err := agentx.New(agentx.Config{Address: m.Address()}, rows(1))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 70 {
		sub.Notify(smitest.OID(base+".0.1"), smitest.Int(base+".2.1", int32(i)))
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { sub.Run(ctx) })
	defer wg.Wait()
	defer cancel()
	s := m.Accept()
	for i := 6; i < 70; i++ {
		if vbs := s.Notified(); vbs[1].Value.Int != int32(i) {
			t.Fatalf("notification %d came where %d was due", vbs[1].Value.Int, i)
		}
	}
	if got := sub.Stats().NotifyLost; got != 6 {
		t.Errorf("%d dropped, want 6", got)
	}
}

func BenchmarkGetNext(b *testing.B) {
	s, _ := connect(b, rows(100))
	var names []string
	for i := range 50 {
		names = append(names, fmt.Sprintf(".1.%d", i+1))
	}
	req := get(agentx.GetNext, names...)
	for b.Loop() {
		if r := s.Do(req); len(r.Vars) != 50 {
			b.Fatal(r)
		}
	}
}
