package acceptance

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// postgres is a server of PostgreSQL of its own. Its user is rtfm, whose password stands in
// a file.
type postgres struct {
	t                     *testing.T
	bin, folder, password string
	address, port         string
	as                    *syscall.SysProcAttr
	server                *exec.Cmd
	log                   bytes.Buffer
}

// newPostgres makes a server, with a database net. It takes no rights of root, so nobody
// has it then.
func newPostgres(t *testing.T) *postgres {
	p := &postgres{t: t, bin: filepath.Dir(tracetest.Require(t, "initdb")), address: tracetest.Address(t, "tcp"), folder: filepath.Join(t.TempDir(), "server")}
	p.password = filepath.Join(filepath.Dir(p.folder), "password")
	_, p.port, _ = net.SplitHostPort(p.address)
	p.as = &syscall.SysProcAttr{}
	err := os.Mkdir(p.folder, 0o700)
	if err == nil {
		err = os.WriteFile(p.password, []byte("xyzzy\n"), 0o644)
	}
	if err == nil && os.Getuid() == 0 {
		var nobody *user.User
		if nobody, err = user.Lookup("nobody"); err == nil {
			uid, _ := strconv.Atoi(nobody.Uid)
			gid, _ := strconv.Atoi(nobody.Gid)
			p.as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
			err = os.Chown(p.folder, uid, gid)
		}
		// Whose folders are not his to read, usually.
		for dir := filepath.Dir(p.folder); err == nil && dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
			err = os.Chmod(dir, 0o755)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	made := p.command("initdb", "-D", p.folder+"/data", "-U", "rtfm", "--pwfile", p.password, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := made.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	p.certify()
	p.start()
	t.Cleanup(p.kill)
	p.must("postgres", "CREATE DATABASE net")
	return p
}

// command returns a program of the server's, to be run by its user.
func (p *postgres) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, name), args...)
	cmd.Dir, cmd.SysProcAttr = p.folder, p.as
	return cmd
}

// certify makes a key and a certificate of localhost.
func (p *postgres) certify() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		p.t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		p.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		p.t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert": {Type: "CERTIFICATE", Bytes: der}, "key": {Type: "PRIVATE KEY", Bytes: private}} {
		path := filepath.Join(p.folder, name)
		err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600)
		if err == nil && p.as.Credential != nil {
			err = os.Chown(path, int(p.as.Credential.Uid), int(p.as.Credential.Gid))
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

// start starts the server and waits until it answers. One that was killed may have left
// processes that end by themselves, before which no other starts.
func (p *postgres) start() {
	p.t.Helper()
	for end := time.Now().Add(time.Minute); ; {
		p.log.Reset()
		p.server = p.command("postgres", "-D", p.folder+"/data", "-k", p.folder, "-h", "127.0.0.1", "-p", p.port,
			"-c", "ssl=on", "-c", "ssl_cert_file="+p.folder+"/cert", "-c", "ssl_key_file="+p.folder+"/key")
		p.server.Stdout, p.server.Stderr = &p.log, &p.log
		p.server.WaitDelay = time.Second // for processes that it leaves
		if err := p.server.Start(); err != nil {
			p.t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { p.server.Wait(); close(ended) }()
		for p.answers(ended) {
			if _, err := p.query("postgres", "SELECT 1"); err == nil {
				return
			}
			if time.Now().After(end) {
				p.t.Fatalf("the server does not answer\n%s", &p.log)
			}
			time.Sleep(20 * time.Millisecond)
		}
		if time.Now().After(end) {
			p.t.Fatalf("the server does not start\n%s", &p.log)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// answers reports whether the server has not ended.
func (p *postgres) answers(ended chan struct{}) bool {
	select {
	case <-ended:
		return false
	default:
		return true
	}
}

// kill kills the server, whose processes see that and end.
func (p *postgres) kill() { p.server.Process.Kill() }

// query returns the answer to a statement, as psql prints it.
func (p *postgres) query(database, statement string) (string, error) {
	cmd := exec.Command(filepath.Join(p.bin, "psql"), "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", p.port, "-U", "rtfm", "-d", database)
	cmd.Env = append(os.Environ(), "PGPASSWORD=xyzzy", "PGCONNECT_TIMEOUT=30")
	cmd.Stdin = strings.NewReader(statement)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (p *postgres) must(database, statement string) string {
	p.t.Helper()
	out, err := p.query(database, statement)
	if err != nil {
		p.t.Fatalf("%s: %v\n%s", statement, err, out)
	}
	return out
}

// place returns the URL of the table of flows.
func (p *postgres) place(table, options string) string {
	return "postgres://rtfm@" + p.address + "/net/" + table + "?password-file=" + p.password + options
}

// compare compares all columns of a table of flows with those of JSON lines. Those that
// stand beside are compared with what they stand beside.
func (p *postgres) compare(t *testing.T, table string, want map[string]*column) {
	t.Helper()
	low := make(map[string]*column)
	for name, c := range want {
		low[strings.ToLower(name)] = c
	}
	var terms, names []string
	for _, line := range strings.Split(p.must("net", "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = '"+table+"'::regclass AND attnum > 0"), "\n") {
		name, kind, _ := strings.Cut(line, "|")
		sum := "sum(" + name + ")"
		switch kind {
		case "text":
			sum = "sum(octet_length(" + name + "))"
		case "inet", "timestamp with time zone":
			continue
		case "jsonb": // written in the database's way
			sum = "'json'"
		}
		names, terms = append(names, name), append(terms, "count("+name+"), "+sum)
	}
	row := strings.Split(p.must("net", "SELECT "+strings.Join(terms, ", ")+" FROM "+table), "|")
	for i, name := range names {
		values, sum := row[2*i], row[2*i+1]
		if c := low[name]; c == nil {
			if values != "0" {
				t.Errorf("%s has %s values, the JSON lines none", name, values)
			}
		} else if values != fmt.Sprint(c.values) || sum != c.sum.String() && sum != "json" {
			t.Errorf("%s has %s values of %s, the JSON lines have %d of %s", name, values, sum, c.values, c.sum)
		}
		delete(low, name)
	}
	for name := range low {
		t.Errorf("there is no column %s", name)
	}
	for _, address := range []string{"SourcePeer", "DestPeer", "InnerSourcePeer", "InnerDestPeer"} {
		// Where it is one, it is the same; IPv6 may be written in two ways.
		if got := p.must("net", "SELECT count(*) FROM "+table+" WHERE ("+address+"Address ~ '^[0-9.]+$|:') IS TRUE <> ("+address+"IP IS NOT NULL) OR "+
			"CASE WHEN "+address+"IP IS NOT NULL THEN "+address+"Address::inet <> "+address+"IP END"); got != "0" {
			t.Errorf("%sIP is another address %s times", address, got)
		}
	}
	if got := p.must("net", "SELECT count(*) FROM "+table+" WHERE floor(extract(epoch FROM IntervalEnd) * 1000000) <> IntervalEndNs / 1000"); got != "0" {
		t.Errorf("IntervalEnd is another time than IntervalEndNs %s times", got)
	}
}

// halves is how many collections have not all of their flows.
const halves = `SELECT count(*) FROM collections c WHERE Flows <> (SELECT count(*) FROM flows f WHERE (f.Meter, f.Boot, f.IntervalEndNs) = (c.Meter, c.Boot, c.IntervalEndNs))`

// TestPostgres sends collections to a real server, and psql reads them.
func TestPostgres(t *testing.T) {
	if testing.Short() {
		t.Skip("mostly waits for a server")
	}
	t.Parallel()
	p := newPostgres(t)
	t.Run("values", func(t *testing.T) { postgresValues(t, p) })
	t.Run("errors", func(t *testing.T) { postgresErrors(t, p) })
	t.Run("kills", func(t *testing.T) { postgresKills(t, p) })
}

// postgresValues sends what different rulesets save, each twice: counts and sums of each
// column are those of the JSON lines of the same run.
func postgresValues(t *testing.T, p *postgres) {
	dir := t.TempDir()
	schema := succeed(t, "flows", "schema", "postgres")
	for i, args := range [][]string{
		{"-r", "@conversations", "-T", "60"},
		{"-e", "save SourcePeerAddress/24; save DestPeerAddress/24; save DestTransAddress; count;"},
		{"-r", "ruleset/examples/packet-sizes.srl", "-r", "ruleset/examples/classify-features.srl"},
		{"-r", "ruleset/examples/stations.srl"},
		nil,
	} {
		lines := filepath.Join(dir, fmt.Sprint(i, ".json"))
		table, collections := fmt.Sprint("flows", i), fmt.Sprint("collections", i)
		place := p.place(table, "&create&collections="+collections)
		if i == 0 { // tables are as the command prints them
			p.must("net", strings.NewReplacer("flows", table, "collections", collections).Replace(schema))
			place = p.place(table, "&collections="+collections)
		}
		if args != nil {
			succeed(t, append([]string{"run", "-q", "--json", "-F", lines, "--spool", filepath.Join(dir, "spool"), "--export", place, "traces/testdata/sample.pcap"}, args...)...)
		} else if err := os.WriteFile(lines, []byte(largest), 0o666); err != nil {
			t.Fatal(err)
		}
		succeed(t, "flows", "convert", lines, place)
		p.compare(t, table, columnsOfJSON(t, lines))
		if got, want := p.must("net", "SELECT sum(Flows) FROM "+collections), p.must("net", "SELECT count(*) FROM "+table); got != want {
			t.Errorf("%s flows, the collections tell of %s", want, got)
		}
		parts := p.must("net", "SELECT count(*) FROM "+table+"_rest")
		if all := p.must("net", "SELECT count(*) FROM "+table); i == 0 && parts != all || i > 0 && parts != "0" {
			t.Errorf("%s of %s rows have no partition of their day", parts, all)
		}
	}
	if got := p.must("net", "SELECT ToOctets, FromOctets, Meter, SourcePeerIP FROM flows4"); got != "18446744073709551615|9007199254740993|gw/1ü%|192.0.2.1" {
		t.Errorf("the largest numbers are %s", got)
	}
	// What is of no own day cannot get a partition any more, and is sent all the same.
	p.must("net", "DELETE FROM flows0")
	succeed(t, "flows", "convert", filepath.Join(dir, "0.json"), p.place("flows0", "&collections=collections0&create"))
	succeed(t, "flows", "convert", filepath.Join(dir, "1.json"), p.place("flows0", "&collections=collections0&create"))
	p.must("net", "DELETE FROM flows0_rest")
}

// postgresErrors: what needs a person stops, and says what is wrong; no password is told.
func postgresErrors(t *testing.T, p *postgres) {
	dir := t.TempDir()
	file, wrong := filepath.Join(dir, "a.json"), filepath.Join(dir, "wrong")
	if err := os.WriteFile(wrong, []byte("plugh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	succeed(t, "run", "-q", "--json", "-F", file, "-r", "@conversations", "traces/testdata/sample.pcap")
	p.must("net", `CREATE TABLE less (Schema smallint, Meter text); CREATE TABLE free (LIKE flows1); CREATE TABLE narrow (LIKE flows1 INCLUDING ALL);
		ALTER TABLE narrow ALTER IntervalStartNs TYPE integer; CREATE ROLE guest LOGIN PASSWORD 'plugh'`)
	for place, want := range map[string]string{
		p.place("none", "&collections=x"):                                                                           "stopped: there is no table none in the database; rtfm flows schema postgres --table none --collections x | psql net creates it, and so does ?create",
		p.place("less", "&collections=collections1"):                                                                "stopped: the table less has no column Boot; rtfm flows schema postgres tells all",
		p.place("free", "&collections=collections1"):                                                                "stopped: the table has no primary key that tells what is there",
		p.place("narrow", "&collections=collections1"):                                                              `is out of range for type integer (COPY rtfm_staged, line 1, column intervalstartns: `,
		"postgres://rtfm@" + p.address + "/net/flows1?password-file=" + wrong:                                       `stopped: password authentication failed for user "rtfm"`,
		"postgres://rtfm@" + p.address + "/nix/flows1?password-file=" + p.password:                                  `stopped: database "nix" does not exist`,
		"postgres://guest@" + p.address + "/net/flows1?collections=x&password-file=" + wrong:                        "stopped: there is no table x",
		p.place("flows1", "&tls=verify"):                                                                            "certificate",
		"postgres://rtfm@127.0.0.1:1/net/flows1":                                                                    "connection refused",
		"postgres://guest@" + p.address + "/net/flows1?collections=collections1&password-file=" + wrong:             "stopped: permission denied for table flows1",
		strings.Replace(p.place("flows1", "&tls=verify&ca="+p.folder+"/cert"), "//rtfm@", "//rtfm@127.0.0.1:1,", 1): "cannot validate certificate for 127.0.0.1",
	} {
		var errs bytes.Buffer
		grace := "20" // which one that stops does not take
		if strings.Contains(want, "certificate") || strings.Contains(want, "refused") {
			grace = "1" // these are tried again until then
		}
		status := runMain([]string{"flows", "convert", "--export-grace", grace, file, place}, nil, io.Discard, &errs)
		if text := errs.String(); status != 5 || !strings.Contains(text, want) ||
			strings.Contains(text, "plugh") || strings.Contains(text, "xyzzy") {
			t.Errorf("%s: exit status %d\n%s\nwant %s", place, status, text, want)
		}
	}
	local := strings.Replace(p.place("flows1", "&collections=collections1&tls=verify&ca="+p.folder+"/cert"), "127.0.0.1", "localhost", 1)
	succeed(t, "flows", "convert", file, local)
	succeed(t, "flows", "convert", file, "postgres:net/flows1?collections=collections1&user=rtfm&password-file="+p.password+"&socket="+p.folder+"/.s.PGSQL."+p.port)
	succeed(t, "flows", "convert", file, strings.Replace(p.place("flows1", "&collections=collections1"), "@", "@127.0.0.1:1,", 1)) // to the one that answers
}

// postgresKills kills now the program that exports, now the server, now one of its
// processes: no collection is ever there in part, and in the end all are there once.
func postgresKills(t *testing.T, p *postgres) {
	dir := t.TempDir()
	file, spool := filepath.Join(dir, "a.json"), filepath.Join(dir, "spool")
	interval, kills := "10", 6
	if tracetest.Long() {
		interval, kills = "1", 100
	}
	place := p.place("flows", "")
	status := runMain([]string{"run", "-q", "-r", "@conversations", "-T", interval, "--json", "-F", file, "--spool", spool, "--export-grace", "0.1", "--export", place, "traces/testdata/provider.pcap.gz"}, nil, io.Discard, io.Discard)
	if status != 5 { // there are no tables
		t.Fatalf("exit status %d", status)
	}
	p.must("net", succeed(t, "flows", "schema", "postgres"))
	start := func() *process {
		return startBeside(t, exec.Command("rtfm", "flows", "spool", "--send", "--export-grace", "60", spool))
	}
	sender, sent, killed := start(), 0, 0
	for ; killed < kills; killed++ {
		if sent = p.grown(t, sent, sender); sent < 0 {
			break
		}
		switch killed % 3 {
		case 0:
			sender.signal(syscall.SIGKILL)
			<-sender.ended
			sender = start()
		case 1:
			p.kill()
			p.start()
		case 2:
			for _, pid := range strings.Fields(p.must("net", "SELECT pid FROM pg_stat_activity WHERE application_name = 'rtfm'")) {
				n, _ := strconv.Atoi(pid)
				syscall.Kill(n, syscall.SIGKILL)
			}
		}
	}
	if status := sender.exit(3 * time.Minute); status != 0 || killed < 3 {
		t.Fatalf("after %d kills the exit status is %d\n%s", killed, status, sender.printed())
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range bytes.Lines(text) {
		var r row
		if !bytes.HasPrefix(line, []byte(`{"record":"flow"`)) {
			continue
		}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		if r.FlowIndex > 0 {
			want = append(want, fmt.Sprint(r.Meter, "|", r.Boot, "|", r.RuleSet, "|", r.FlowIndex, "|", r.FirstTimeNs, "|", r.IntervalEndNs, "|", *r.DeltaToOctets, "|", *r.DeltaFromOctets))
		}
	}
	got := strings.Split(p.must("net", "SELECT Meter, Boot, RuleSet, FlowIndex, FirstTimeNs, IntervalEndNs, DeltaToOctets, DeltaFromOctets FROM flows"), "\n")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%d flows are there, and there were %d", len(got), len(want))
	}
	t.Logf("%d kills", killed)
	if n := p.must("net", halves); n != "0" {
		t.Errorf("%s collections are there in part", n)
	}
	doc, err := os.ReadFile("docs/EXPORTS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, doc, _ = bytes.Cut(doc, []byte("\n## postgres\n"))
	_, doc, _ = bytes.Cut(doc, []byte("```sql\n"))
	queries, _, _ := bytes.Cut(doc, []byte("```\n"))
	if out := p.must("net", string(queries)); strings.Count(out, "\n") != 4 || !strings.HasSuffix(out, "|0|") {
		t.Errorf("the queries of the document print %s", out)
	}
}

// grown waits until there are more collections than before, and returns how many; -1 once
// the sender has ended. At no time is one there in part.
func (p *postgres) grown(t *testing.T, before int, sender *process) int {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; {
		out, err := p.query("net", "SELECT count(*) FROM collections; "+halves)
		if n, parts, ok := strings.Cut(out, "\n"); err == nil && ok {
			if parts != "0" {
				t.Fatalf("%s collections are there in part", parts)
			}
			if now, _ := strconv.Atoi(n); now > before {
				return now
			}
		}
		select {
		case <-sender.ended:
			return -1
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("no more than %d collections come\n%s", before, out)
		}
	}
}
