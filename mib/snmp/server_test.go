package snmp

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rtfm/mib/smi"
	"rtfm/mib/smi/smitest"
)

const base = "1.3.6.1.4.1.8072.9999.9999.2720"

var testConfig = Config{
	ReadCommunity: "reader", WriteCommunity: "writer",
	System: System{
		Descr: "a meter", Name: "here", Contact: "me", Location: "a rack", Services: 72,
		Capabilities: []smi.Capability{{ID: smi.OID{1, 3, 6, 1, 4, 1, 8072, 3}, Descr: "metering"}, {ID: smi.OID{1, 3, 6, 1, 4, 1, 8072, 4}, Descr: "more"}},
		ObjectID:     smi.OID{1, 3, 6, 1, 4, 1, 8072}, Uptime: func() time.Duration { return 1234567 * time.Microsecond },
	},
}

func newServer(t testing.TB, cfg Config, h smi.Handler) *Server {
	t.Helper()
	s, err := New(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	return s
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

// tlv returns an element of BER.
func tlv(tag byte, content ...[]byte) []byte {
	c := slices.Concat(content...)
	return append(smi.AppendBERHeader(nil, tag, len(c)), c...)
}

func num(n int64) []byte { return smi.AppendBERInt(nil, n) }

// msg returns a message with request identifier 12345. The two fields are
// error-status and error-index, or those of a GetBulk.
func msg(community string, pdu byte, field1, field2 int64, vars ...smi.VarBind) []byte {
	var list []byte
	for i := range vars {
		list = vars[i].AppendBER(list)
	}
	return tlv(0x30, num(1), tlv(4, []byte(community)), tlv(pdu, num(12345), num(field1), num(field2), tlv(0x30, list)))
}

// ask returns NULL variables, of names below base unless they begin with 1.
func ask(names ...string) (vbs []smi.VarBind) {
	for _, n := range names {
		if strings.HasPrefix(n, ".") {
			n = base + n
		}
		vbs = append(vbs, smitest.None(n, smi.Null))
	}
	return vbs
}

// decode reads a whole message.
func (m *message) decode(b []byte) error {
	d, err := m.decodeVersion(smi.NewDecoder(b))
	if err == nil {
		d, err = m.decodeCommunity(d)
	}
	if err == nil {
		err = m.decodePDU(d)
	}
	return err
}

// show returns what is in a response, and checks the rest of it.
func show(t testing.TB, b []byte) string {
	t.Helper()
	if b == nil {
		return "nothing"
	}
	var m message
	if err := m.decode(b); err != nil || m.version != 1 || m.pdu != response || m.requestID != 12345 || string(m.community) != "reader" && string(m.community) != "writer" {
		t.Fatalf("response % x: %+v, %v", b, m, err)
	}
	var s []string
	for i := range m.vars {
		s = append(s, strings.TrimPrefix(m.vars[i].String(), base))
	}
	if m.status != 0 || m.index != 0 {
		return fmt.Sprintf("%v %d: %s", smi.Status(m.status), m.index, strings.Join(s, ", "))
	}
	return strings.Join(s, ", ")
}

const (
	sysDescr    = `1.3.6.1.2.1.1.1.0 = OCTET STRING "a meter"`
	sysObjectID = `1.3.6.1.2.1.1.2.0 = OBJECT IDENTIFIER 1.3.6.1.4.1.8072`
	sysUpTime   = `1.3.6.1.2.1.1.3.0 = TimeTicks 123`
	sysContact  = `1.3.6.1.2.1.1.4.0 = OCTET STRING "me"`
	sysName     = `1.3.6.1.2.1.1.5.0 = OCTET STRING "here"`
	sysLocation = `1.3.6.1.2.1.1.6.0 = OCTET STRING "a rack"`
	sysServices = `1.3.6.1.2.1.1.7.0 = Integer32 72`
	sysOR       = `1.3.6.1.2.1.1.8.0 = TimeTicks 0, 1.3.6.1.2.1.1.9.1.2.1 = OBJECT IDENTIFIER 1.3.6.1.4.1.8072.3, ` +
		`1.3.6.1.2.1.1.9.1.2.2 = OBJECT IDENTIFIER 1.3.6.1.4.1.8072.4, 1.3.6.1.2.1.1.9.1.3.1 = OCTET STRING "metering", ` +
		`1.3.6.1.2.1.1.9.1.3.2 = OCTET STRING "more", 1.3.6.1.2.1.1.9.1.4.1 = TimeTicks 0, 1.3.6.1.2.1.1.9.1.4.2 = TimeTicks 0`
)

func TestRead(t *testing.T) {
	tests := []struct {
		name string
		msg  []byte
		want string
	}{
		{"get", msg("reader", getRequest, 0, 0, ask(".1.1", ".2.2")...), `.1.1 = OCTET STRING "row 1", .2.2 = Integer32 2`},
		{"get by the writer", msg("writer", getRequest, 0, 0, ask(".2.2")...), `.2.2 = Integer32 2`},
		{"get what is not there", msg("reader", getRequest, 0, 0, ask(".1.9", ".7.0")...), `.1.9 = noSuchInstance, .7.0 = noSuchObject`},
		{"get nothing", msg("reader", getRequest, 0, 0), ""},
		{"a value and errors in the request", msg("reader", getRequest, 5, 99, smitest.Int(base+".2.1", 7)), `.2.1 = Integer32 1`},
		{"system", msg("reader", getRequest, 0, 0, ask("1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.2.0", ".2.1", "1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.1.5.0")...),
			strings.Join([]string{sysDescr, sysObjectID, ".2.1 = Integer32 1", sysUpTime, sysName}, ", ")},
		{"not in system", msg("reader", getRequest, 0, 0, ask("1.3.6.1.2.1.1.1.1", "1.3.6.1.2.1.1.1", "1.3.6.1.2.1.1.9.0", "1.3.6.1.2.1.1")...),
			"1.3.6.1.2.1.1.1.1 = noSuchInstance, 1.3.6.1.2.1.1.1 = noSuchInstance, 1.3.6.1.2.1.1.9.0 = noSuchObject, 1.3.6.1.2.1.1 = noSuchObject"},
		{"next", msg("reader", getNextRequest, 0, 0, ask(".1.3", ".2.3", ".2")...), ".2.1 = Integer32 1, .2.3 = endOfMibView, .2.1 = Integer32 1"},
		{"next in system", msg("reader", getNextRequest, 0, 0, ask("0.0", "1.3.6.1.2.1.1.1.0", "1.3.6.1.2.1.1.4.0", "1.3.6.1.2.1.1.6", "1.3.6.1.2.1.1.9.1.4.2")...),
			strings.Join([]string{sysDescr, sysObjectID, sysName, sysLocation, `.1.1 = OCTET STRING "row 1"`}, ", ")},
		{"bulk", msg("reader", getBulkRequest, 1, 2, ask("1.3.6.1.2.1.1.3", ".1", ".2.2")...),
			sysUpTime + `, .1.1 = OCTET STRING "row 1", .2.3 = Integer32 3, .1.2 = OCTET STRING "row 2", .2.3 = endOfMibView`},
		{"bulk through system", msg("reader", getBulkRequest, 0, 16, ask("1.3.6.1.2.1.1.2.0")...),
			strings.Join([]string{sysUpTime, sysContact, sysName, sysLocation, sysServices, sysOR}, ", ") + `, .1.1 = OCTET STRING "row 1", .1.2 = OCTET STRING "row 2", .1.3 = OCTET STRING "row 3", .2.1 = Integer32 1`},
		{"bulk of numbers below 0", msg("reader", getBulkRequest, -1, -1, ask(".1")...), ""},
		{"bulk without repeaters", msg("reader", getBulkRequest, 9, 9, ask("1.3", ".1")...), sysDescr + `, .1.1 = OCTET STRING "row 1"`},
		{"bulk of nothing", msg("reader", getBulkRequest, 0, 9), ""},
	}
	s := newServer(t, testConfig, rows(3))
	for _, tt := range tests {
		if got := show(t, s.handle(tt.msg)); got != tt.want {
			t.Errorf("%s: got  %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestReadErrors(t *testing.T) {
	table := rows(3)
	fault := &smi.Error{Status: smi.GenErr, Index: 2}
	table.SetFaults(smitest.Faults{Get: fault, Next: fault})
	s := newServer(t, testConfig, table)
	want := "genErr 2: .1.1 = NULL, .2.1 = NULL"
	for _, pdu := range []byte{getRequest, getNextRequest, getBulkRequest} {
		if got := show(t, s.handle(msg("reader", pdu, 0, 9, ask(".1.1", ".2.1")...))); got != want {
			t.Errorf("PDU %#x: %s", pdu, got)
		}
	}
}

func TestSet(t *testing.T) {
	two := []smi.VarBind{smitest.Int(base+".2.1", 71), smitest.Octets(base+".1.2", smi.OctetString, "new")}
	const echo = `.2.1 = Integer32 71, .1.2 = OCTET STRING "new"`
	fault := &smi.Error{Status: smi.GenErr, Index: 2}
	for _, tt := range []struct {
		name   string
		faults smitest.Faults
		msg    []byte
		want   string
		calls  []string
		set    bool
	}{
		{"success", smitest.Faults{}, msg("writer", setRequest, 0, 0, two...), echo, []string{"test 2", "commit", "cleanup"}, true},
		{"by a reader", smitest.Faults{}, msg("reader", setRequest, 0, 0, two...), "noAccess 1: " + echo, nil, false},
		{"of nothing by a reader", smitest.Faults{}, msg("reader", setRequest, 0, 0), "noAccess 0: ", nil, false},
		{"by nobody", smitest.Faults{}, msg("", setRequest, 0, 0, two...), "nothing", nil, false},
		{"wrong type", smitest.Faults{}, msg("writer", setRequest, 0, 0, two[0], smitest.Int(base+".1.2", 1)), "wrongType 2: .2.1 = Integer32 71, .1.2 = Integer32 1", []string{"test 2"}, false},
		{"system group", smitest.Faults{}, msg("writer", setRequest, 0, 0, smitest.Octets("1.3.6.1.2.1.1.5.0", smi.OctetString, "x")), `noCreation 1: 1.3.6.1.2.1.1.5.0 = OCTET STRING "x"`, []string{"test 1"}, false},
		{"failed commit", smitest.Faults{Commit: fault}, msg("writer", setRequest, 0, 0, two...), "commitFailed 2: " + echo, []string{"test 2", "commit", "undo", "cleanup"}, false},
		{"failed undo", smitest.Faults{Commit: fault, Undo: fault}, msg("writer", setRequest, 0, 0, two...), "undoFailed 0: " + echo, []string{"test 2", "commit", "undo", "cleanup"}, false},
	} {
		table := rows(3)
		table.SetFaults(tt.faults)
		s := newServer(t, testConfig, table)
		if got := show(t, s.handle(tt.msg)); got != tt.want {
			t.Errorf("%s: got  %s\nwant %s", tt.name, got, tt.want)
		}
		if got := table.Calls(); !slices.Equal(got, tt.calls) {
			t.Errorf("%s: calls %q, want %q", tt.name, got, tt.calls)
		}
		n, _ := table.Lookup(base + ".2.1")
		o, _ := table.Lookup(base + ".1.2")
		if (n.Value.Int == 71) != tt.set || (string(o.Value.Octets) == "new") != tt.set || table.Open() != 0 {
			t.Errorf("%s: values %v and %v, %d transactions open", tt.name, &n.Value, &o.Value, table.Open())
		}
	}
}

// TestDrops counts what gets no answer.
func TestDrops(t *testing.T) {
	get := msg("reader", getRequest, 0, 0, ask(".1.1")...)
	v1, v3 := bytes.Clone(get), bytes.Clone(get)
	v1[4], v3[4] = 0, 3
	edit := func(at int, b byte) []byte { c := bytes.Clone(get); c[at] = b; return c }
	for _, tt := range []struct {
		name string
		msg  []byte
		want Stats
	}{
		{"version 1", v1, Stats{InBadVersions: 1}},
		{"version 3", v3, Stats{InBadVersions: 1}},
		{"version 3, as it is", tlv(0x30, num(3), tlv(0x30, num(1), num(65507), tlv(4, []byte{4}), num(3)), tlv(4), tlv(4)), Stats{InBadVersions: 1}},
		{"unknown community", msg("public", getRequest, 0, 0), Stats{InBadCommunityNames: 1}},
		{"empty community", msg("", getRequest, 0, 0), Stats{InBadCommunityNames: 1}},
		{"part of a community", msg("reade", getRequest, 0, 0), Stats{InBadCommunityNames: 1}},
		{"more than a community", msg("readers", getRequest, 0, 0), Stats{InBadCommunityNames: 1}},
		{"response", msg("reader", response, 0, 0), Stats{UnknownPDUHandlers: 1}},
		{"inform", msg("writer", 0xa6, 0, 0), Stats{UnknownPDUHandlers: 1}},
		{"trap", msg("writer", 0xa7, 0, 0), Stats{UnknownPDUHandlers: 1}},
		{"unknown PDU", msg("writer", 0xa9, 0, 0), Stats{UnknownPDUHandlers: 1}},
		{"empty", nil, Stats{InASNParseErrs: 1}},
		{"text", []byte("GET / HTTP/1.1\r\n\r\n"), Stats{InASNParseErrs: 1}},
		{"cut", get[:len(get)-1], Stats{InASNParseErrs: 1}},
		{"more", append(bytes.Clone(get), 0), Stats{InASNParseErrs: 1}},
		{"no version", tlv(0x30, tlv(4, []byte("reader"))), Stats{InASNParseErrs: 1}},
		{"community of another type", edit(5, 5), Stats{InASNParseErrs: 1}},
		{"indefinite length", edit(1, 0x80), Stats{InASNParseErrs: 1}},
		{"no PDU", tlv(0x30, num(1), tlv(4, []byte("reader"))), Stats{InASNParseErrs: 1}},
		{"two PDUs", tlv(0x30, num(1), tlv(4, []byte("reader")), tlv(getRequest, num(1), num(0), num(0), tlv(0x30)), tlv(getRequest)), Stats{InASNParseErrs: 1}},
		{"PDU cut", tlv(0x30, num(1), tlv(4, []byte("reader")), tlv(getRequest, num(1), num(0))), Stats{InASNParseErrs: 1}},
		{"more in the PDU", tlv(0x30, num(1), tlv(4, []byte("reader")), tlv(getRequest, num(1), num(0), num(0), tlv(0x30), tlv(5))), Stats{InASNParseErrs: 1}},
		{"variable of a wrong tag", tlv(0x30, num(1), tlv(4, []byte("reader")), tlv(getRequest, num(1), num(0), num(0), tlv(0x30, tlv(0x31)))), Stats{InASNParseErrs: 1}},
		{"request identifier of 40 bits", tlv(0x30, num(1), tlv(4, []byte("reader")), tlv(getRequest, num(1<<39), num(0), num(0), tlv(0x30))), Stats{InASNParseErrs: 1}},
	} {
		s := newServer(t, testConfig, rows(1))
		if got := s.handle(tt.msg); got != nil {
			t.Errorf("%s: answered % x", tt.name, got)
		}
		if got := s.Stats(); got != tt.want {
			t.Errorf("%s: counts %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestReadOnly(t *testing.T) {
	cfg := testConfig
	cfg.WriteCommunity = ""
	s := newServer(t, cfg, rows(1))
	for _, community := range []string{"", "writer"} {
		if got := s.handle(msg(community, setRequest, 0, 0, smitest.Int(base+".2.1", 5))); got != nil {
			t.Errorf("community %q: answered % x", community, got)
		}
	}
	if got := show(t, s.handle(msg("reader", setRequest, 0, 0, smitest.Int(base+".2.1", 5)))); got != "noAccess 1: .2.1 = Integer32 5" {
		t.Error(got)
	}
	if got := s.Stats(); got != (Stats{InBadCommunityNames: 2, InBadCommunityUses: 1}) {
		t.Errorf("counts %+v", got)
	}
}

// TestSizes asks for more than fits into a message.
func TestSizes(t *testing.T) {
	var vbs []smi.VarBind
	for i := range 100 {
		vbs = append(vbs, smitest.Octets(fmt.Sprintf("%s.1.%d", base, i+1), smi.OctetString, strings.Repeat("x", 1000)))
	}
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf(".1.%d", i+1))
	}
	for _, limit := range []int{484, 1472, 8192, 0} {
		cfg := testConfig
		cfg.MaxMessage = limit
		table := smitest.New(vbs...)
		s := newServer(t, cfg, table)
		limit := s.max
		fit := 0
		for n := 1; n <= 100; n++ {
			b := s.handle(msg("reader", getRequest, 0, 0, ask(names[:n]...)...))
			if len(b) > limit {
				t.Fatalf("limit %d: answer of %d octets", limit, len(b))
			}
			if got := show(t, b); strings.Count(got, "xxx") == 0 {
				if got != "tooBig 0: " {
					t.Fatalf("limit %d: %.100s", limit, got)
				}
				break
			}
			fit = n
		}
		next := show(t, s.handle(msg("reader", getNextRequest, 0, 0, ask(names[:fit+1]...)...)))
		if next != "tooBig 0: " {
			t.Errorf("limit %d: next: %.100s", limit, next)
		}
		b := s.handle(msg("reader", getBulkRequest, 0, 1<<31-1, ask(".1")...))
		if got := strings.Count(show(t, b), " = "); len(b) > limit || got != fit || limit > 1200 && len(b) < limit-1100 {
			t.Errorf("limit %d: bulk has %d variables in %d octets, get has %d", limit, got, len(b), fit)
		}
		long := smitest.Octets(base+".1.1", smi.OctetString, strings.Repeat("y", limit-50))
		if got := show(t, s.handle(msg("writer", setRequest, 0, 0, long))); got != "tooBig 0: " {
			t.Errorf("limit %d: set: %.100s", limit, got)
		}
		if calls := table.Calls(); calls != nil {
			t.Errorf("limit %d: a Set whose answer is too long came to %q", limit, calls)
		}
	}
	for _, limit := range []int{-1, 483, MaxMessage + 1} {
		if _, err := New(Config{MaxMessage: limit}, nil); err == nil || !strings.Contains(err.Error(), "from 484 to 65507") {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
	cfg := testConfig
	cfg.MaxMessage, cfg.ReadCommunity = 484, strings.Repeat("r", 480)
	s := newServer(t, cfg, rows(1))
	if got := s.handle(msg(cfg.ReadCommunity, getRequest, 0, 0)); got != nil || s.Stats().SilentDrops != 1 {
		t.Errorf("answered with %d octets, counts %+v", len(got), s.Stats())
	}
}

// TestServe sends requests over loopback, many at once.
func TestServe(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := newServer(t, testConfig, rows(3))
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, conn) }()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			c, err := net.Dial("udp", conn.LocalAddr().String()) // takes answers from that address only
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			buf := make([]byte, 65536)
			for i := range 50 {
				if _, err := c.Write(msg("writer", setRequest, 0, 0, smitest.Int(base+".2.1", int32(i)))); err != nil {
					t.Error(err)
					return
				}
				c.SetReadDeadline(time.Now().Add(10 * time.Second))
				n, err := c.Read(buf)
				if err != nil {
					t.Error(err)
					return
				}
				if got, want := show(t, buf[:n]), fmt.Sprintf(".2.1 = Integer32 %d", i); got != want {
					t.Errorf("%s, want %s", got, want)
				}
			}
		})
	}
	wg.Wait()
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if got := s.Stats(); got != (Stats{InPkts: 200, OutPkts: 200}) {
		t.Errorf("counts %+v", got)
	}
}

// TestServeClosed returns when the socket is closed, and what does not fit the
// socket is counted.
func TestServeClosed(t *testing.T) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, testConfig, rows(3))
	served := make(chan error, 1)
	go func() { served <- s.Serve(context.Background(), failing{conn}) }()
	c, err := net.Dial("udp", conn.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(msg("reader", getRequest, 0, 0)); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); s.Stats().SendErrors == 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	conn.Close()
	if err := <-served; err == nil || !strings.HasPrefix(err.Error(), "snmp: read: ") {
		t.Errorf("Serve returned %v", err)
	}
	if got := s.Stats(); got != (Stats{InPkts: 1, SendErrors: 1}) {
		t.Errorf("counts %+v", got)
	}
}

// failing is a socket that cannot send.
type failing struct{ net.PacketConn }

func (failing) WriteTo([]byte, net.Addr) (int, error) { return 0, net.ErrWriteToConnected }

func TestAllocations(t *testing.T) {
	s := newServer(t, testConfig, rows(100))
	for name, m := range map[string][]byte{
		"get":  msg("reader", getRequest, 0, 0, ask(".1.1", ".2.2", "1.3.6.1.2.1.1.3.0")...),
		"next": msg("reader", getNextRequest, 0, 0, ask(".1.1", ".2.2")...),
		"bulk": msg("reader", getBulkRequest, 0, 50, ask(".1", ".2")...),
	} {
		if n := testing.AllocsPerRun(100, func() {
			if s.handle(m) == nil {
				t.Fatal("no answer")
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func FuzzMessage(f *testing.F) {
	f.Add(msg("reader", getRequest, 0, 0, ask(".1.1", "1.3.6.1.2.1.1.3.0")...))
	f.Add(msg("reader", getNextRequest, 0, 0, ask(".1.1", "1.3")...))
	f.Add(msg("reader", getBulkRequest, 1, 10, ask("1.3", ".1", ".2")...))
	f.Add(msg("reader", getBulkRequest, -1, 1<<31-1, ask("1.3", ".1", ".2")...))
	f.Add(msg("writer", setRequest, 0, 0, smitest.Int(base+".2.1", 71), smitest.Octets(base+".1.2", smi.OctetString, "new")))
	f.Add(msg("reader", setRequest, 0, 0, smitest.Int(base+".2.1", 71)))
	f.Add(msg("reader", 0xa7, 0, 0, smitest.Ref("1.3.6.1.6.3.1.1.4.1.0", base)))
	cfg := testConfig
	cfg.MaxMessage = 1472
	f.Fuzz(func(t *testing.T, b []byte) {
		table := rows(3)
		s := newServer(t, cfg, table)
		answer := s.handle(b)
		if len(answer) > 1472 {
			t.Fatalf("answer of %d octets", len(answer))
		}
		if table.Open() != 0 {
			t.Fatal("a transaction is open")
		}
		if answer == nil {
			if s.Stats() == (Stats{}) {
				t.Fatal("dropped without being counted")
			}
			return
		}
		var m message
		if err := m.decode(answer); err != nil || m.pdu != response || m.requestID != s.req.requestID {
			t.Fatalf("answer % x: %+v, %v", answer, m, err)
		}
		if m.pdu != response || s.req.pdu != getBulkRequest && m.status != int32(smi.TooBig) && len(m.vars) != len(s.req.vars) {
			t.Fatalf("%d variables in answer to %d", len(m.vars), len(s.req.vars))
		}
	})
}

// BenchmarkGetBulk answers requests for 50 strings of 60 octets, as packages
// of flows are, without and with sockets between.
func BenchmarkGetBulk(b *testing.B) {
	var vbs []smi.VarBind
	for i := range 1000 {
		vbs = append(vbs, smitest.Octets(fmt.Sprintf("%s.1.%d", base, i+1), smi.OctetString, strings.Repeat("x", 60)))
	}
	req := msg("reader", getBulkRequest, 0, 50, ask(".1.300")...)
	b.Run("decode and answer", func(b *testing.B) {
		s := newServer(b, testConfig, smitest.New(vbs...))
		b.ReportAllocs()
		for b.Loop() {
			if s.handle(req) == nil {
				b.Fatal("no answer")
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "PDUs/s")
	})
	b.Run("UDP", func(b *testing.B) {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		s := newServer(b, testConfig, smitest.New(vbs...))
		ctx, cancel := context.WithCancel(context.Background())
		var wg sync.WaitGroup
		wg.Go(func() { s.Serve(ctx, conn) })
		defer conn.Close()
		defer wg.Wait()
		defer cancel()
		c, err := net.Dial("udp", conn.LocalAddr().String())
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		buf := make([]byte, 65536)
		for b.Loop() {
			if _, err := c.Write(req); err != nil {
				b.Fatal(err)
			}
			if n, err := c.Read(buf); err != nil || n < 3000 {
				b.Fatal(n, err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "PDUs/s")
	})
}
