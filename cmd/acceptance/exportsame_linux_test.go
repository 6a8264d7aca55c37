package acceptance

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// readSums is what a place was sent, as a program that is not ours reads it there.
type readSums struct {
	collections, flows uint64 // 0 where there are no such rows
	packets, octets    uint64
}

// scan reads it as programs print it.
func (e *readSums) scan(t *testing.T, printed string) {
	t.Helper()
	if _, err := fmt.Sscan(printed, &e.collections, &e.flows, &e.packets, &e.octets); err != nil {
		t.Fatalf("%s: %v", printed, err)
	}
}

// readBack exports the sample trace, by these rules, to a place of its own, and returns
// what that was sent.
type readBack func(t *testing.T, s *sameTrace) readSums

// readBacks are of all schemes that there are.
var readBacks = map[string]readBack{
	"clickhouse":  func(t *testing.T, s *sameTrace) readSums { return s.clickHouse(t, false) },
	"clickhouses": func(t *testing.T, s *sameTrace) readSums { return s.clickHouse(t, true) },
	"http":        func(t *testing.T, s *sameTrace) readSums { return s.http(t, "http") },
	"https":       func(t *testing.T, s *sameTrace) readSums { return s.http(t, "https", s.certificate, s.key) },
	"ipfix": func(t *testing.T, s *sameTrace) readSums {
		file := filepath.Join(t.TempDir(), "flows.ipfix")
		s.export(t, "ipfix:"+file+"?biflow=split")
		datagrams := ipfixSent(t, s.rules, "?biflow=split")
		_, sum := dumped(t, tracetest.Require(t, "nfdump"), collected(t, tracetest.Require(t, "nfcapd"), datagrams), true)
		got := s.ipfixDump(t, file)
		if got.packets != sum[1] || got.octets != sum[2] {
			t.Errorf("ipfixDump reads %+v in a file, nfdump %d over UDP", got, sum)
		}
		return got
	},
	"ipfix+tcp": func(t *testing.T, s *sameTrace) readSums { return s.ipfixStream(t, "ipfix+tcp") },
	"ipfix+tls": func(t *testing.T, s *sameTrace) readSums {
		return s.ipfixStream(t, "ipfix+tls", s.certificate, s.key)
	},
	"kafka": func(t *testing.T, s *sameTrace) readSums {
		k := newKafka(t)
		s.export(t, k.url()+"/")
		file := filepath.Join(t.TempDir(), "rows")
		putFile(t, file, k.read(t, kafkaTopics[0], `%s\n`)+k.read(t, kafkaTopics[1], `%s\n`))
		return s.jq(t, file)
	},
	"nats": func(t *testing.T, s *sameTrace) readSums {
		n := newNATS(t, 1, "")[0]
		n.start(t)
		n.ready(t)
		s.export(t, "nats://"+n.address+"/FLOWS?create&compression=none")
		file := filepath.Join(t.TempDir(), "rows")
		putFile(t, file, output(t, tracetest.Require(t, "python3"), "cmd/acceptance/testdata/exports/nats.py", n.address, "FLOWS"))
		return s.jq(t, file)
	},
	"otlp":  func(t *testing.T, s *sameTrace) readSums { return s.otlp(t, "otlp") },
	"otlps": func(t *testing.T, s *sameTrace) readSums { return s.otlp(t, "otlps", s.certificate, s.key) },
	"parquet": func(t *testing.T, s *sameTrace) readSums {
		folder := t.TempDir()
		s.export(t, "parquet:"+folder)
		d := startDuckDB(t)
		var got readSums
		got.scan(t, d.one("SELECT concat_ws(' ', (SELECT count(*) FROM '%s/collections/**/*.parquet'), count(*), sum(DeltaToPDUs + DeltaFromPDUs), sum(DeltaToOctets + DeltaFromOctets)) FROM '%s/flows/**/*.parquet'", folder, folder))
		return got
	},
	"postgres": func(t *testing.T, s *sameTrace) (got readSums) {
		p := newPostgres(t)
		s.export(t, p.place("flows", "&create"))
		got.scan(t, p.must("net", "SELECT concat_ws(' ', (SELECT count(*) FROM collections), count(*), sum(DeltaToPDUs + DeltaFromPDUs), sum(DeltaToOctets + DeltaFromOctets)) FROM flows"))
		return got
	},
}

// TestExportSameTrace exports one trace to each kind of place: all have the same counts and
// sums, as programs read them that are not ours.
func TestExportSameTrace(t *testing.T) {
	t.Parallel()
	s := newSameTrace(t)
	for _, name := range schemes(t) {
		read := readBacks[name]
		if read == nil {
			t.Errorf("readBacks has no %s", name)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, want := read(t, s), s.want
			if got.flows == 0 && got.collections == 0 { // records each way, and no rows of collections
				want.flows, want.collections = 0, 0
			}
			if got != want {
				t.Errorf("%+v were read, want %+v", got, want)
			}
		})
	}
}

// sameTrace is what the places of TestExportSameTrace have in common.
type sameTrace struct {
	rules            string
	certificate, key string // files, of 127.0.0.1
	want             readSums
}

func newSameTrace(t *testing.T) *sameTrace {
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS()
	defer server.Close()
	key, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := &sameTrace{rules: writeRules(t, ipfixRules), certificate: filepath.Join(dir, "certificate"), key: filepath.Join(dir, "key")}
	putFile(t, s.certificate, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
	putFile(t, s.key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	file := filepath.Join(dir, "flows")
	succeed(t, "run", "-q", "-r", s.rules, "-T", "60", "--json", "-F", file, sampleTrace)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.NewReplacer(`{"record":"flow"`, `{"FlowIndex":1`, `{"record":"end"`, `{"Flows":1`).Replace(string(text))
	putFile(t, file, rows)
	if s.want = s.jq(t, file); s.want.packets != 2010 || s.want.octets != 641250 || s.want.collections != 5 {
		t.Fatalf("%+v were metered", s.want)
	}
	return s
}

// export exports the trace to a place, in a process that trusts the certificate.
func (s *sameTrace) export(t *testing.T, url string) {
	t.Helper()
	cmd := exec.Command("rtfm", "run", "-q", "-r", s.rules, "-T", "60", "--export", url, "--spool", filepath.Join(t.TempDir(), "spool"), "--export-grace", "60", sampleTrace)
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+s.certificate)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", url, err, out)
	}
}

// receive starts what keeps what it is sent in a file, and returns its port.
func (s *sameTrace) receive(t *testing.T, kind string, certificate ...string) (file, port string, p *process) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "received")
	args := append([]string{"cmd/acceptance/testdata/exports/receive.py", kind, file}, certificate...)
	p = runBeside(t, exec.Command(tracetest.Require(t, "python3"), args...), func(printed string) bool {
		n, _ := fmt.Sscanf(printed, "port %s\n", &port)
		return n == 1
	}, 20*time.Second)
	return file, port, p
}

// jq adds up rows of JSON.
func (s *sameTrace) jq(t *testing.T, file string) (got readSums) {
	t.Helper()
	const sums = `[.[] | select(.FlowIndex)] as $f | "\([.[] | select(.Flows)] | length) \($f | length) ` +
		`\([$f[] | .DeltaToPDUs + .DeltaFromPDUs] | add) \([$f[] | .DeltaToOctets + .DeltaFromOctets] | add)"`
	got.scan(t, output(t, tracetest.Require(t, "jq"), "-r", "-s", sums, file))
	return got
}

// ipfixDump adds up records of IPFIX in a file.
func (s *sameTrace) ipfixDump(t *testing.T, file string) readSums {
	t.Helper()
	messages, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sum := ipfixDumpSum(t, messages)
	return readSums{packets: sum[0], octets: sum[1]}
}

// ipfixStream exports over TCP or TLS, and adds up what has come.
func (s *sameTrace) ipfixStream(t *testing.T, scheme string, certificate ...string) readSums {
	t.Helper()
	file, port, p := s.receive(t, "tcp", certificate...)
	s.export(t, scheme+"://127.0.0.1:"+port+"?biflow=split")
	p.wait(20*time.Second, func(printed string) bool { return strings.Contains(printed, "closed\n") })
	return s.ipfixDump(t, file)
}

// http exports by HTTP or HTTPS, and adds up what has come.
func (s *sameTrace) http(t *testing.T, scheme string, certificate ...string) readSums {
	t.Helper()
	file, port, _ := s.receive(t, "http", certificate...)
	s.export(t, scheme+"://127.0.0.1:"+port+"/flows")
	return s.jq(t, file)
}

// otlp exports to the receiver of OpenTelemetry's collectors, and adds up what has come.
func (s *sameTrace) otlp(t *testing.T, scheme string, certificate ...string) readSums {
	t.Helper()
	file, address := filepath.Join(t.TempDir(), "received"), tracetest.Address(t, "tcp")
	args := append([]string{address, file}, certificate...)
	runBeside(t, exec.Command(serverProgram(t, "otlpread"), args...), func(printed string) bool { return strings.Contains(printed, "ready\n") }, time.Minute)
	s.export(t, scheme+"://"+address+"?rows=20")
	return s.jq(t, file)
}

// clickHouse exports to a server, with TLS or without, and asks it.
func (s *sameTrace) clickHouse(t *testing.T, secure bool) (got readSums) {
	c := newClickHouse(t, "")
	url := "clickhouse://rtfm@" + c.address
	if secure {
		address := tracetest.Address(t, "tcp")
		_, port, _ := net.SplitHostPort(address)
		c.secure(t, port, s.certificate, s.key)
		url = "clickhouses://rtfm@" + address
	}
	c.start(t)
	c.query(t, "CREATE DATABASE net")
	s.export(t, url+"/net/flows?create&password-file="+filepath.Join(c.folder, "password"))
	got.scan(t, c.query(t, "SELECT (SELECT count() FROM net.collections), count(), sum(DeltaToPDUs + DeltaFromPDUs), sum(DeltaToOctets + DeltaFromOctets) FROM net.flows"))
	return got
}

// output returns what a program prints.
func output(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%q: %v\n%s", cmd.Args, err, errs.String())
	}
	return string(out)
}
