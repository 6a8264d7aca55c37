package ipfixsink

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/reader/export"
	"rtfm/reader/record"
	"rtfm/ruleset/match"
	"rtfm/traces/ipfix"
)

// sets returns how many sets of an identifier messages have.
func sets(messages [][]byte, id uint16) (n int) {
	for _, m := range messages {
		for at := ipfix.HeaderLen; at < len(m); at += int(binary.BigEndian.Uint16(m[at+2:])) {
			if binary.BigEndian.Uint16(m[at:]) == id {
				n++
			}
		}
	}
	return n
}

// datagramsOf returns the datagrams that a URL with these options gets of each of some
// collections.
func datagramsOf(t *testing.T, options string, collections ...*export.Collection) (all [][][]byte) {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	x, _ := open(t, "ipfix://"+conn.LocalAddr().String()+options)
	for _, c := range collections {
		send(t, x, c)
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		var got [][]byte
		for b := make([]byte, 65536); ; {
			n, _, err := conn.ReadFrom(b)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, bytes.Clone(b[:n]))
			if binary.BigEndian.Uint32(b[12:]) == processDomain {
				break // it ends a collection
			}
		}
		all = append(all, got)
	}
	return all
}

// TestDatagrams tells templates again when they are due, and sends no datagram that is
// longer than the limit. A collection that is sent again is the same.
func TestDatagrams(t *testing.T) {
	var shapes match.Shapes
	var many []part
	for n := range byte(50) {
		f := flow(&shapes, 2, n+1, 6, [2]byte{1, n}, [2]byte{0, 80})
		many = append(many, part{f, &record.Counters{ToPDUs: 1, FromPDUs: 1}})
	}
	c := spooled(t, record.Summary{RuleSets: []record.RuleSetSummary{{RuleSet: 2}}}, many)[0]
	for _, tt := range []struct {
		options string
		// templates of the first and the second time, and the most octets
		first, again, most int
	}{
		{"?templates=1h", 1, 0, 1420},
		{"?templates=1h&mtu=512", 1, 0, 512},
		{"?templates=1ns", 1, 1, 1420},
	} {
		got := datagramsOf(t, tt.options, c, c)
		if a, b := sets(got[0], ipfix.TemplateSet), sets(got[1], ipfix.TemplateSet); a < tt.first || b < tt.again || tt.again == 0 && a+b != 1 {
			t.Errorf("%s: %d and %d templates", tt.options, a, b)
		}
		longest := 0
		for _, m := range append(got[0], got[1]...) {
			longest = max(longest, len(m))
		}
		if longest > tt.most || longest < tt.most-100 {
			t.Errorf("%s: a datagram of %d octets", tt.options, longest)
		}
		stream := bytes.Join(append(got[0], got[1]...), nil)
		path := filepath.Join(t.TempDir(), "x.ipfix")
		if err := os.WriteFile(path, stream, 0o600); err != nil {
			t.Fatal(err)
		}
		if records := strings.Count(ipfixDump(t, path), "sourceTransportPort : "); records != 200 {
			t.Errorf("%s: %d records, want 200", tt.options, records)
		}
		if a, b := flowRecords(got[0]), flowRecords(got[1]); !bytes.Equal(a, b) || len(a) != 100*flowSize {
			t.Errorf("%s: sent again, %d octets of records differ from %d", tt.options, len(b), len(a))
		}
	}
}

// flowSize is how long a record of a flow of 5-tuples is.
const flowSize = 4 + 4*8 + 1 + 2*8 + 4 + 4 + 1 + 2 + 2

// flowRecords returns the records of flows in messages of one ruleset.
func flowRecords(messages [][]byte) (records []byte) {
	for _, m := range messages {
		for at := ipfix.HeaderLen; at < len(m); {
			n := int(binary.BigEndian.Uint16(m[at+2:]))
			if id := binary.BigEndian.Uint16(m[at:]); id >= ipfix.FirstDataSet && (n-ipfix.SetHeaderLen)%flowSize == 0 {
				records = append(records, m[at+ipfix.SetHeaderLen:at+n]...)
			}
			at += n
		}
	}
	return records
}

// TestStream has a collector that goes, within a collection and between them: on each
// connection all begins anew, and each collection comes whole.
func TestStream(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	defer server.Close()
	folder := t.TempDir()
	ca := filepath.Join(folder, "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	// The first is more than the collector's system takes when nobody reads it.
	var shapes match.Shapes
	f := flow(&shapes, 2, 1, 6, [2]byte{0x12, 0x34}, [2]byte{0, 80})
	many := slices.Repeat([]part{{f, &record.Counters{ToPDUs: 1, FromPDUs: 1}}}, 3000)
	all := spooled(t, record.Summary{}, many, many[:5], many[:5])
	for _, scheme := range []string{"tcp", "tls"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		url := "ipfix+tcp://" + l.Addr().String()
		if scheme == "tls" {
			l = tls.NewListener(l, &tls.Config{Certificates: server.TLS.Certificates})
			url = "ipfix+tls://" + l.Addr().String() + "?ca=" + ca
		}
		received := make(chan []byte, 2)
		leave := make(chan struct{})
		go collect(t, l, received, leave)
		x, _ := open(t, url)
		if err := x.Send(t.Context(), all[0]); err == nil {
			t.Errorf("%s: a collection was sent of which most was not read", scheme)
		}
		send(t, x, all[0])
		close(leave)
		<-x.(*exporter).to.(*stream).gone
		send(t, x, all[1], all[2])
		x.Close()
		path := filepath.Join(folder, "x.ipfix")
		for i, want := range []int{1, 2} {
			if err := os.WriteFile(path, <-received, 0o600); err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(ipfixDump(t, path), "exportingProcessId : 1"); n != want {
				t.Errorf("%s: connection %d has %d whole collections, want %d", scheme, i+2, n, want)
			}
		}
		l.Close()
	}
}

// collect takes three connections: 100 octets of the first, a collection of the second,
// all of the third. It leaves the second when it is told to.
func collect(t *testing.T, l net.Listener, received chan<- []byte, leave <-chan struct{}) {
	for i := range 3 {
		conn, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		switch i {
		case 0:
			io.ReadFull(conn, make([]byte, 100))
		case 1:
			received <- wholeCollection(t, conn)
			<-leave
		case 2:
			b, _ := io.ReadAll(conn)
			received <- b
		}
		conn.Close()
	}
}

// wholeCollection reads messages until one ends a collection.
func wholeCollection(t *testing.T, conn net.Conn) (all []byte) {
	for {
		m := make([]byte, ipfix.HeaderLen)
		if _, err := io.ReadFull(conn, m); err != nil {
			t.Error(err)
			return all
		}
		m = append(m, make([]byte, int(binary.BigEndian.Uint16(m[2:]))-len(m))...)
		if _, err := io.ReadFull(conn, m[ipfix.HeaderLen:]); err != nil {
			t.Error(err)
			return all
		}
		all = append(all, m...)
		if binary.BigEndian.Uint32(m[12:]) == processDomain {
			return all
		}
	}
}

// TestTLSNames refuses certificates of nobody that is known, and of another name.
func TestTLSNames(t *testing.T) {
	server := httptest.NewUnstartedServer(nil)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	c := threeCollections(t)[0]
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for _, tt := range []struct{ url, want string }{
		{"ipfix+tls://127.0.0.1:" + port, "unknown authority"},
		{"ipfix+tls://localhost:" + port + "?ca=" + ca, "not localhost"},
	} {
		x, _ := open(t, tt.url)
		if err := x.Send(t.Context(), c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", tt.url, err, tt.want)
		}
	}
}

// TestNetworkCheck: collectors that can be reached, and others. They are sent no messages.
func TestNetworkCheck(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	read := make(chan []byte, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			text := make([]byte, 4096) // more than a client of TLS says first
			n, _ := conn.Read(text)
			read <- text[:n]
			conn.Close()
		}
	}()
	away, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	away.Close()
	for url, want := range map[string]string{
		"ipfix://127.0.0.1":                       "",
		"ipfix://collector.invalid":               "collector.invalid",
		"ipfix+tcp://" + l.Addr().String():        "",
		"ipfix+tcp://" + away.Addr().String():     "connection refused",
		"ipfix+tls://" + l.Addr().String():        "EOF",
		"ipfix+tls://" + away.Addr().String():     "connection refused",
		"ipfix+tcp://collector.invalid:4739":      "collector.invalid",
		"ipfix+tcp://127.0.0.1:port-of-this-name": "unknown port",
	} {
		x, _ := open(t, url)
		err := x.Check(t.Context())
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
		if strings.HasSuffix(url, l.Addr().String()) {
			if text := <-read; (len(text) > 0) != strings.HasPrefix(url, "ipfix+tls") {
				t.Errorf("%s: it was sent % x", url, text)
			}
		}
	}
}
