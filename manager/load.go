package manager

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"rtfm/ruleset/match"

	"github.com/goccy/go-yaml/ast"

	"rtfm/mib/client"
	"rtfm/reader/export"
	"rtfm/ruleset"
	"rtfm/ruleset/builtin"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/pme"
	"rtfm/ruleset/srl"
)

// maxMeters is how many meters a configuration file may have.
const maxMeters = 100_000

// Load reads a configuration file with all that it names: rulesets and
// secrets. The error is a ruleset.Diagnostics of all that is wrong, or tells
// why the file cannot be read; schemes are those that exports may have; warnings are for rulesets that hardly do what
// was meant.
func Load(name string, schemes ...export.Scheme) (c *Config, warnings []error, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, nil, err
	}
	return parseConfig(name, text, schemes...)
}

// loader makes a Config of a file.
type loader struct {
	decoder
	dir      string // of the file; the names in it start from there
	ruleSets map[string]*ruleset.RuleSet
	warnings []error
	inRules  ruleset.Diagnostics // faults of the rulesets
	schemes  []export.Scheme     // of places that collections go to
}

func parseConfig(name string, text []byte, schemes ...export.Scheme) (*Config, []error, error) {
	l := &loader{
		decoder: decoder{file: name}, dir: filepath.Dir(name),
		ruleSets: make(map[string]*ruleset.RuleSet), schemes: schemes,
	}
	c := l.config(l.parse(text))
	if len(l.faults) > 0 {
		l.faults.Sort()
		return nil, l.warnings, append(l.faults, l.inRules...)
	}
	return c, l.warnings, nil
}

// path returns the name of a file that the configuration names.
func (l *loader) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(l.dir, name)
}

func (l *loader) config(n ast.Node) *Config {
	c := &Config{}
	defaults := Defaults()
	var meters ast.Node
	if n == nil {
		if len(l.faults) == 0 {
			l.errorf(n, `the file is empty: want "meters:"`)
		}
		return c
	}
	seen := l.mapping(n, "the file", []key{
		// Where defaults stands in the file makes no difference.
		{"defaults", func(n ast.Node) { l.mapping(n, "defaults", l.meterKeys(&defaults)) }},
		{"meters", func(n ast.Node) { meters = n }},
	})
	if meters == nil {
		if seen["meters"] == nil {
			l.errorf(n, `the file has no "meters"`)
		}
		return c
	}
	names := make(map[string]ast.Node)
	l.list(meters, "meters", func(n ast.Node) {
		if m := l.meter(n, defaults); m != nil {
			l.unique(names, n, "name "+m.Name)
			l.unique(names, n, "output file "+m.Output)
			c.Meters = append(c.Meters, m)
		}
	})
	if seq, ok := meters.(*ast.SequenceNode); ok && len(seq.Values) == 0 {
		l.errorf(meters, `"meters" is empty: there is nothing to manage`)
	}
	if len(c.Meters) > maxMeters {
		l.errorf(meters, "there are more than %d meters", maxMeters)
	}
	return c
}

// unique notes an error if something was seen before.
func (l *loader) unique(seen map[string]ast.Node, n ast.Node, what string) {
	if first := seen[what]; first != nil {
		l.errorf(n, "the meter has the %s, as the one in line %d", what, begin(first).Position.Line)
		return
	}
	seen[what] = n
}

// meterKeys are those that meters and the defaults have.
func (l *loader) meterKeys(m *Meter) []key {
	return []key{
		{"snmp", func(n ast.Node) { l.snmp(n, &m.SNMP) }},
		{"owner", l.text(&m.Owner, checkOwner)},
		{"rows", func(n ast.Node) {
			l.mapping(n, "rows", []key{
				{"rulesets", l.rows(&m.Rows.RuleSets, 2, ruleset.MaxRuleSets)},
				{"tasks", l.rows(&m.Rows.Tasks, 1, maxRow)},
				{"readers", l.rows(&m.Rows.Readers, 1, maxRow)},
			})
		}},
		{"tasks", func(n ast.Node) {
			m.Tasks = nil
			l.list(n, "tasks", func(n ast.Node) { m.Tasks = append(m.Tasks, l.task(n)) })
		}},
		{"flood-mark", l.numberFor(&m.FloodMark, 0, 100)},
		{"inactivity-timeout", l.seconds(&m.InactivityTimeout)},
		{"sampling", func(n ast.Node) { l.sampling(n, m) }},
		{"feed", func(n ast.Node) { l.feed(n, m) }},
		{"interval", l.duration(&m.Interval, time.Second, 24*time.Hour)},
		{"flood-interval", l.duration(&m.FloodInterval, time.Second, 24*time.Hour)},
		{"keepalive", l.duration(&m.Keepalive, time.Second, 24*time.Hour)},
		{"reader-timeout", l.duration(&m.ReaderTimeout, 0, 365*24*time.Hour)},
		{"max-flows", l.number(&m.MaxFlows, 1, maxRow)},
		{"trace", l.boolean(&m.Trace)},
		{"output", l.text(&m.Output, oneWord(4096))},
		{"json", l.boolean(&m.JSON)},
		{"exports", func(n ast.Node) { l.exports(n, m) }},
		{"spool", func(n ast.Node) { l.spool(n, m) }},
		{"timezone", l.location(&m.Location)},
	}
}

// maxRow is the highest index that a row of flowManagerInfoTable or
// flowReaderInfoTable can have (RFC 2720).
const maxRow = 1<<31 - 1

// checkOwner refuses what is no UTF8OwnerString (RFC 2720), or empty.
func checkOwner(s string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return errors.New("the owner is empty")
	case len(s) > 127:
		return errors.New("the owner is longer than 127 octets")
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0xfffd }):
		return fmt.Errorf("%q: control characters and what is no UTF-8 cannot stand in an owner", s)
	}
	return nil
}

func (l *loader) meter(n ast.Node, defaults Meter) *Meter {
	m := defaults
	before := len(l.faults)
	seen := l.mapping(n, "a meter", append(l.meterKeys(&m),
		key{"name", l.text(&m.Name, oneWord(255))},
		key{"address", l.text(&m.Address, oneWord(300))},
	))
	if len(l.faults) > before {
		return nil
	}
	host, address, err := splitAddress(m.Address)
	switch {
	case seen["address"] == nil:
		l.errorf(n, `a meter needs an "address"`)
		return nil
	case err != nil:
		l.errorf(seen["address"], "%v", err)
		return nil
	case m.Name == "":
		m.Name = host
	}
	m.Address = address
	if err := m.finish(l.path); err != nil {
		l.errorf(n, "%v", err)
		return nil
	}
	return &m
}

// splitAddress returns the host of an address, and the address with a port.
func splitAddress(address string) (host, withPort string, err error) {
	if err := client.CheckTransport(address); err != nil {
		return "", "", err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = strings.Trim(address, "[]"), "161"
		if strings.Contains(host, ":") && net.ParseIP(host) == nil {
			return "", "", fmt.Errorf("%q is no address, as host, host:port or [2001:db8::1]:161 are", address)
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); host == "" || err != nil || n == 0 {
		return "", "", fmt.Errorf("%q is no address, as host, host:port or [2001:db8::1]:161 are", address)
	}
	return host, net.JoinHostPort(host, port), nil
}

// finish sets what follows from other settings, and tests what they make
// together.
func (m *Meter) finish(path func(string) string) error {
	if m.Owner == "" {
		m.Owner = DefaultOwner()
	}
	if m.FloodInterval == 0 {
		m.FloodInterval = max(m.Interval/4, time.Second)
	}
	m.Output = path(m.OutputFile())
	m.finishExports(path)
	s := &m.SNMP
	switch {
	case s.Community.IsZero() && s.User == "":
		return fmt.Errorf(`meter %s has neither "community" nor "user" in "snmp"`, m.Name)
	case !s.Community.IsZero() && s.User != "":
		return fmt.Errorf(`meter %s has "community" (SNMPv2c) and "user" (SNMPv3) in "snmp": want one of them`, m.Name)
	case s.User == "" && (s.AuthProtocol != "" || s.PrivProtocol != "" || s.Context != ""):
		return fmt.Errorf(`meter %s has SNMPv3 settings in "snmp", but no "user"`, m.Name)
	case s.PrivProtocol != "" && s.AuthProtocol == "":
		return fmt.Errorf(`meter %s has "privacy" without "auth" in "snmp"`, m.Name)
	case len(m.Tasks) == 0:
		return fmt.Errorf(`meter %s has no "tasks"`, m.Name)
	case len(m.Tasks) > m.Rows.Tasks.Last-m.Rows.Tasks.First+1:
		return fmt.Errorf("meter %s has more tasks than it may have rows for them", m.Name)
	case len(m.RuleSets()) > m.Rows.RuleSets.Last-m.Rows.RuleSets.First+1,
		len(m.RuleSets()) > m.Rows.Readers.Last-m.Rows.Readers.First+1:
		return fmt.Errorf("meter %s has more rulesets than it may have rows for them", m.Name)
	}
	return m.checkFeed()
}

// OutputFile returns the name of the flow data file: Output with the meter's
// name where {name} stands there.
func (m *Meter) OutputFile() string {
	return strings.ReplaceAll(m.Output, "{name}", fileName(m.Name))
}

// ForMeter returns the configuration of one meter, which is checked as one of
// a configuration file is.
func ForMeter(m Meter) (*Config, error) {
	_, address, err := splitAddress(m.Address)
	if err != nil {
		return nil, err
	}
	m.Address = address
	if err := checkOwner(m.Owner); err != nil && m.Owner != "" {
		return nil, err
	}
	if err := m.finish(func(name string) string { return name }); err != nil {
		return nil, err
	}
	return &Config{Meters: []*Meter{&m}}, nil
}

// fileName makes a meter's name one part of a file's name.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == '/' || r == '\\' || r == ':' || r == 0 {
			return '_'
		}
		return r
	}, name)
	if strings.HasPrefix(name, ".") {
		name = "_" + name[1:]
	}
	return name
}

// DefaultOwner returns the owner of the rows of a manager that has no other
// name: `rtfm@host`.
func DefaultOwner() string {
	host, err := os.Hostname()
	if err != nil || checkOwner(host) != nil || len(host) > 100 {
		return "rtfm"
	}
	return "rtfm@" + host
}

func (l *loader) snmp(n ast.Node, s *SNMP) {
	s2 := *s
	crypt := func(protocol *string, password *Secret, what string, names ...string) func(ast.Node) {
		return func(n ast.Node) {
			seen := l.mapping(n, what, []key{
				{"protocol", l.oneOf(protocol, names...)},
				{"password", l.secret(password, l.path)},
			})
			switch {
			case seen["password"] == nil:
				l.errorf(n, `%s has no "password"`, what)
			case !password.IsZero() && len(password.text) < 8:
				l.errorf(seen["password"], "the password is shorter than 8 octets (RFC 3414 section 11.2)")
			case seen["protocol"] == nil:
				*protocol = names[0]
			}
		}
	}
	seen := l.mapping(n, "snmp", []key{
		{"community", l.secret(&s2.Community, l.path)},
		{"user", l.text(&s2.User, oneWord(32))},
		{"context", l.text(&s2.Context, oneWord(255))},
		{"auth", crypt(&s2.AuthProtocol, &s2.AuthPassword, "auth", "SHA-256", "SHA-224", "SHA-384", "SHA-512")},
		{"privacy", crypt(&s2.PrivProtocol, &s2.PrivPassword, "privacy", "AES-128", "AES-192", "AES-256")},
		{"timeout", l.duration(&s2.Timeout, 10*time.Millisecond, time.Minute)},
		{"retries", l.number(&s2.Retries, 0, 20)},
	})
	// A meter that is not spoken to as the defaults say has none of their
	// credentials.
	switch {
	case seen["community"] != nil && seen["user"] == nil:
		s2 = SNMP{Community: s2.Community, Timeout: s2.Timeout, Retries: s2.Retries}
		for _, k := range []string{"context", "auth", "privacy"} {
			if seen[k] != nil {
				l.errorf(seen[k], `%q is for SNMPv3, "community" for SNMPv2c`, k)
			}
		}
	case seen["user"] != nil && seen["community"] == nil:
		s2.Community = Secret{}
	}
	*s = s2
}

func (l *loader) task(n ast.Node) Task {
	t := Task{HighWaterMark: 65}
	seen := l.mapping(n, "a task", []key{
		{"rules", l.rules(&t.RuleSet)},
		{"standby", l.rules(&t.Standby)},
		{"high-water-mark", l.number(&t.HighWaterMark, 0, 100)},
		{"at", func(n ast.Node) {
			l.list(n, "at", func(n ast.Node) { t.Turns = append(t.Turns, l.turn(n)) })
		}},
	})
	if seen["rules"] == nil && seen["at"] == nil && len(seen) > 0 {
		l.errorf(n, `a task needs "rules", or "at" with rulesets for certain times`)
	}
	if seen["high-water-mark"] == nil && seen["standby"] == nil {
		t.HighWaterMark = 0
	}
	return t
}

func (l *loader) turn(n ast.Node) (t Turn) {
	seen := l.mapping(n, `what stands under "at"`, []key{
		{"rules", l.rules(&t.RuleSet)},
		{"when", func(n ast.Node) {
			read := func(n ast.Node) {
				s, _ := scalar(n)
				w, err := ParseWhen(s)
				if err != nil {
					l.errorf(n, "%v", err)
				}
				t.When = append(t.When, w)
			}
			if _, ok := scalar(n); ok {
				read(n)
				return
			}
			l.list(n, "when", read)
		}},
	})
	for _, k := range []string{"when", "rules"} {
		if seen[k] == nil {
			l.errorf(n, `%q is missing here`, k)
		}
	}
	return t
}

// rules returns a reader of the name of a file that holds a ruleset, or of a
// program of package builtin. Each is loaded once.
func (l *loader) rules(to **ruleset.RuleSet) func(ast.Node) {
	return func(n ast.Node) {
		var name string
		if l.text(&name, oneWord(4096))(n); name == "" {
			return
		}
		path := name
		if !builtin.Is(name) {
			path = l.path(name)
		}
		rs, known := l.ruleSets[path]
		if !known {
			loaded, warnings, err := compile.Load(path, strings.NewReader(""), srl.Options{})
			if err == nil {
				_, err = pme.Compile(loaded, 0, new(match.Shapes)) // as the meter does
			}
			rs, l.ruleSets[path] = loaded, loaded
			for _, w := range warnings {
				l.warnings = append(l.warnings, w)
			}
			l.ruleSetFault(n, path, err)
		}
		*to = rs
	}
}

// ruleSetFault notes what is wrong with a ruleset, in its own file.
func (l *loader) ruleSetFault(n ast.Node, path string, err error) {
	var rules ruleset.Diagnostics
	switch {
	case err == nil:
		return
	case !errors.As(err, &rules):
		l.errorf(n, "%v", err)
		return
	}
	l.errorf(n, "the ruleset of %s has faults", path)
	l.inRules = append(l.inRules, rules...)
}

// seconds returns a reader of a time in whole seconds.
func (l *loader) seconds(to **int) func(ast.Node) {
	return func(n ast.Node) {
		d := time.Duration(-1)
		if l.duration(&d, 0, 365*24*time.Hour)(n); d >= 0 {
			s := int(d / time.Second)
			*to = &s
		}
	}
}

func (l *loader) sampling(n ast.Node, m *Meter) {
	m.Sampling = make(map[int]int)
	for _, v := range l.pairs(n, "sampling") {
		s, _ := scalar(v.Key)
		i, err := strconv.Atoi(s)
		if err != nil || i < 1 || i > maxRow {
			l.errorf(v.Key, "%q is no number of an interface", s)
			continue
		}
		rate := -1
		if l.number(&rate, 0, maxRow)(v.Value); rate >= 0 {
			m.Sampling[i] = rate
		}
	}
}

func (l *loader) location(to **time.Location) func(ast.Node) {
	return func(n ast.Node) {
		s, _ := scalar(n)
		loc, err := time.LoadLocation(s)
		if s == "" || err != nil {
			l.errorf(n, "%q is no time zone, as UTC, Local or Pacific/Auckland are", s)
			return
		}
		*to = loc
	}
}
