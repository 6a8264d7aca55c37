package manager

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rtfm/ruleset"
)

// write puts a file into a folder and returns its name.
func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// configDir returns a folder with the rulesets and secrets that the tests'
// configurations name.
func configDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"all.srl", "coarse.rules"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, dir, name, string(text))
	}
	write(t, dir, "faulty.srl", "SAVE nothing;\nCOUNT;\n")
	write(t, dir, "secret", "hidden-in-a-file\n")
	write(t, dir, "two", "hidden\nlines\n")
	write(t, dir, "short", "seven77")
	write(t, dir, "empty", "\n")
	return dir
}

const wholeConfig = `
# A comment.
defaults:
  snmp:
    community: {env: RTFM_TEST_SECRET}
    timeout: 500ms
  owner: night shift
  interval: 15m
  flood-mark: 90
  output: flows/{name}.flows
  timezone: UTC
  tasks:
    - rules: all.srl
      standby: coarse.rules
meters:
  - address: gw1.example.net
  - name: gw2
    address: "[2001:db8::1]:1161"
    snmp:
      user: collector
      context: meter
      auth: {protocol: sha-512, password: {file: secret}}
      privacy:
        password: {env: RTFM_TEST_SECRET}
    rows: {rulesets: 10-19, tasks: 3, readers: 20-39}
    tasks:
      - rules: coarse.rules
        at:
          - when: mon-fri 08:00-18:00
            rules: all.srl
          - when: [sat, "sun 22:00-02:00"]
            rules: all.srl
      - rules: all.srl
        standby: coarse.rules
        high-water-mark: 50
    inactivity-timeout: 20m
    sampling: {1: 10, 3: 0}
    interval: 60
    flood-interval: 10
    keepalive: 1h30m
    json: true
    output: /var/log/gw2.json
`

func TestLoad(t *testing.T) {
	dir := configDir(t)
	name := write(t, dir, "rtfm.yaml", strings.Replace(wholeConfig, "tasks: 3,", "tasks: 3-4,", 1))
	c, warnings, err := Load(name)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	if len(c.Meters) != 2 {
		t.Fatalf("%d meters", len(c.Meters))
	}
	m := c.Meters[0]
	all, coarse := m.Tasks[0].RuleSet, m.Tasks[0].Standby
	if all.Name != "all" || coarse.Name != "coarse" || coarse.Format == nil {
		t.Errorf("rulesets %v, %v", all, coarse)
	}
	got := fmt.Sprint(m.Name, " ", m.Address, " ", m.Owner, " ", m.Interval, m.FloodInterval, m.Keepalive, " ", *m.FloodMark, m.InactivityTimeout == nil,
		m.Tasks[0].HighWaterMark, m.SNMP.Timeout, m.SNMP.Retries, " ", m.Rows, m.Location, strings.TrimPrefix(m.Output, dir), " ", m.SNMP.Community.Reveal())
	want := "gw1.example.net gw1.example.net:161 night shift 15m0s 3m45s 1m0s 90 true 65 500ms 3 {{2 255} {1 1000} {1 1000}} UTC/flows/gw1.example.net.flows hidden-in-the-environment"
	if got != want {
		t.Errorf("the first meter is\n%s\nwant\n%s", got, want)
	}
	m = c.Meters[1]
	s := m.SNMP
	got = fmt.Sprint(m.Name, " ", m.Address, " ", m.Owner, " ", m.Interval, m.FloodInterval, m.Keepalive, " ", *m.FloodMark, *m.InactivityTimeout,
		m.Rows, m.Sampling, m.JSON, m.Output, " ", s.User, " ", s.Context, " ", s.AuthProtocol, " ", s.AuthPassword.Reveal(), " ", s.PrivProtocol, " ", s.PrivPassword.Reveal(), s.Community.IsZero())
	want = "gw2 [2001:db8::1]:1161 night shift 1m0s 10s 1h30m0s 90 1200 {{10 19} {3 4} {20 39}} map[1:10 3:0] true/var/log/gw2.json " +
		"collector meter SHA-512 hidden-in-a-file AES-128 hidden-in-the-environmenttrue"
	if got != want {
		t.Errorf("the second meter is\n%s\nwant\n%s", got, want)
	}
	if len(m.Tasks) != 2 || m.Tasks[1].HighWaterMark != 50 || m.Tasks[0].HighWaterMark != 0 || m.Tasks[1].RuleSet != all {
		t.Errorf("tasks %+v", m.Tasks)
	}
	if rs := m.RuleSets(); len(rs) != 2 {
		t.Errorf("%d rulesets", len(rs))
	}
}

// TestFaults wants every fault of a file to be told, with its place.
func TestFaults(t *testing.T) {
	dir := configDir(t)
	meter := "meters:\n- address: a\n  snmp: {community: {file: secret}}\n  tasks: [{rules: all.srl}]\n"
	for _, tt := range []struct {
		text string
		want []string // "line:col: part of the message"
	}{
		{"", []string{`1:1: the file is empty`}},
		{"# nothing\n", []string{`1:1: the file is empty`}},
		{"meters: [", []string{`1:9: sequence end token`}},
		{"meter: []", []string{`1:1: the file has no "meter"; did you mean "meters"?`, `1:1: the file has no "meters"`}},
		{"meters:\n", []string{`1:1: "meters" has no value`}},
		{"meters: 5", []string{`1:9: meters has to be a list`}},
		{"- 1\n- 2", []string{`the file has to be keys`, `has no "meters"`}},
		{"meters: []", []string{`1:9: "meters" is empty: there is nothing to manage`}},
		{"\ufeffmeters: []", []string{`1:9: "meters" is empty`}},
		{"meters:\n- address: a\n  snmp: {community: {file: two}}\n  tasks: [{rules: all.srl}]", []string{`two: more than one line`}},
		{"meters:\n- address: tcp:a:161\n  snmp: {community: {file: secret}}\n  tasks: [{rules: all.srl}]", []string{`2:3: address "tcp:a:161": SNMP is spoken over UDP only`}},
		{"meters: [5]", []string{`1:10: a meter has to be keys`}},
		{"meters: []\n---\nmeters: []", []string{`3:1: a second document`}},
		{"meters: &a []\ndefaults: *a", []string{`1:9: "&": anchors, aliases`}},
		{"meters: !!seq []", []string{`1:9: "!!seq": anchors, aliases, merge keys and tags`}},
		{"meters: [5]\nmeters: []", []string{`2:1: `}},
		{meter + "  flod-mark: 90", []string{`5:3: a meter has no "flod-mark"; did you mean "flood-mark"?`}},
		{meter + "  colour: red", []string{`5:3: a meter has no "colour"`}},
		{meter + "  interval: 25h\n  keepalive: soon\n  flood-mark: 101\n  json: 1\n  sampling: {eth0: 2, 1: -1}\n  timezone: Mars/Olympus",
			[]string{`5:13: "25h": want a time from 1s to 24h`, `6:14: "soon": want a time`, `7:15: "101": want a number from 0 to 100`,
				`8:9: want true or false`, `9:14: "eth0" is no number of an interface`, `9:26: "-1": want a number`, `10:13: "Mars/Olympus" is no time zone`}},
		{meter + "  rows: {rulesets: 1-5, tasks: 9-3, readers: all}", []string{`5:20: "1-5": want a range of rows, as 10-19, from 2 to 255`, `5:32: "9-3"`, `5:46: "all"`}},
		{"meters:\n- address: a\n  snmp: {community: letmein}\n  tasks: [{rules: all.srl}]", []string{`3:21: secrets are not written into this file`}},
		{"meters:\n- address: a\n  snmp: {community: {file: missing}}\n  tasks: [{rules: missing.srl}]",
			[]string{`3:28: open `, `4:19: open `}},
		{"meters:\n- address: a\n  snmp: {community: {file: empty}}\n  tasks: []", []string{`3:28: `}},
		{"meters:\n- address: a\n  snmp: {community: {env: RTFM_TEST_UNSET}}", []string{`3:27: environment variable RTFM_TEST_UNSET is not set`}},
		{"meters:\n- address: a\n  snmp: {community: {file: secret, env: RTFM_TEST_SECRET}}", []string{`3:21: a secret comes from a file or from the environment, not from both`}},
		{"meters:\n- address: a\n  snmp: {user: u, auth: {password: {file: short}}}", []string{`3:26: the password is shorter than 8`}},
		{"meters:\n- address: a\n  snmp: {user: u, auth: {protocol: md5, password: {file: secret}}}", []string{`3:36: "md5": want SHA-256, SHA-224, SHA-384, SHA-512; MD5 and SHA-1 are too weak`}},
		{"meters:\n- address: a\n  snmp: {user: u, privacy: {password: {file: secret}}}\n  tasks: [{rules: all.srl}]", []string{`2:3: meter a has "privacy" without "auth"`}},
		{"meters:\n- address: a\n  snmp: {community: {file: secret}, auth: {password: {file: secret}}}", []string{`3:37: "auth" is for SNMPv3`}},
		{"meters:\n- address: a\n  tasks: [{rules: all.srl}]", []string{`2:3: meter a has neither "community" nor "user"`}},
		{"meters:\n- name: a\n  address: a:0\n- name: b\n- address: 'a:b:c'\n- address: ':161'", []string{`3:3: "a:0" is no address`, `4:3: a meter needs an "address"`, `5:3: "a:b:c"`, `6:3: ":161"`}},
		{meter + "- address: b\n  name: a\n  snmp: {community: {file: secret}}\n  tasks: [{rules: all.srl}]",
			[]string{`5:3: the meter has the name a, as the one in line 2`, `5:3: the meter has the output file`}},
		{"meters:\n- address: a\n  snmp: {community: {file: secret}}\n  tasks: [{rules: faulty.srl}, {standby: all.srl}, {at: [{when: noon}]}]",
			[]string{`4:19: the ruleset of`, `4:32: a task needs "rules"`, `4:58: "rules" is missing here`, `4:65: "noon"`, `faulty.srl:1:6: `}},
		{"meters:\n- address: a\n  snmp: {community: {file: secret}}\n  rows: {tasks: 7}\n  tasks: [{rules: all.srl}, {rules: coarse.rules}]", []string{`2:3: meter a has more tasks than`}},
		{"meters: " + strings.Repeat("[", 60), []string{`1:5`}},
	} {
		c, _, err := parseConfig(filepath.Join(dir, "rtfm.yaml"), []byte(tt.text))
		var faults ruleset.Diagnostics
		if c != nil || !errors.As(err, &faults) {
			t.Errorf("%s\nerror %v", tt.text, err)
			continue
		}
		lines := strings.Split(faults.Error(), "\n")
		ok := len(lines) == len(tt.want)
		for i := range min(len(lines), len(tt.want)) {
			ok = ok && strings.Contains(lines[i], tt.want[i])
		}
		if !ok {
			t.Errorf("%s\nfaults:\n%v\nwant\n%s", tt.text, err, strings.Join(tt.want, "\n"))
		}
	}
}

// TestSecretsAreNotShown prints a configuration in all ways.
func TestSecretsAreNotShown(t *testing.T) {
	c, _, err := parseConfig(filepath.Join(configDir(t), "rtfm.yaml"), []byte(strings.Replace(wholeConfig, "tasks: 3,", "tasks: 3-4,", 1)))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, m := range c.Meters {
			fmt.Fprintf(&out, verb, m.SNMP)
			fmt.Fprintf(&out, verb, *m)
			fmt.Fprintf(&out, verb, m.SNMP.Community)
		}
	}
	for _, h := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(h).Info("meter", "snmp", c.Meters[0].SNMP, "m", c.Meters[1].SNMP.AuthPassword)
	}
	for _, secret := range []string{"hidden", fmt.Sprintf("%x", "hidden")} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("a secret shows:\n%s", &out)
		}
	}
	if !strings.Contains(out.String(), "(secret)") {
		t.Errorf("nothing shows:\n%s", &out)
	}
}

func TestSecretFile(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct{ text, want string }{
		{"abc\n", "abc"}, {"abc", "abc"}, {"abc\r\n", "abc"}, {"a b \n\n", "a b "}, {"a\nb\n", ""}, {"\nb", ""}, {"a\rb", ""},
		{strings.Repeat("x", maxSecret) + strings.Repeat("\n", 2*maxSecret) + "b", ""},
		{strings.Repeat("x", maxSecret) + "\n", strings.Repeat("x", maxSecret)},
		{strings.Repeat("x", maxSecret+1), ""}, {"", ""}, {"\n", ""},
	} {
		s, err := SecretFromFile(write(t, dir, "s", tt.text))
		if s.Reveal() != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%.10q: %.10q, %v", tt.text, s.Reveal(), err)
		}
	}
}

func FuzzConfig(f *testing.F) {
	dir := configDir(f)
	for _, text := range []string{
		"", wholeConfig, "meters: [", "a: &b [*b]", "meters:\n- address: a\n  tasks: [{at: [{when: mon 1:00-2:00, rules: all.srl}]}]", "? - x\n: y", "'", "|\n x", "[{a: b}, c]: d",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "file:") && strings.Contains(text, "/") || strings.Contains(text, "rules:") && strings.Contains(text, "/") {
			t.Skip("could name files of the system")
		}
		began := time.Now()
		c, _, err := parseConfig(filepath.Join(dir, "rtfm.yaml"), []byte(text))
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("took %v", took)
		}
		if (c == nil) == (err == nil) {
			t.Errorf("config %v, error %v", c, err)
		}
		if err == nil {
			for _, m := range c.Meters {
				if m.Name == "" || m.Address == "" || len(m.Tasks) == 0 || m.Interval < time.Second || len(m.RuleSets()) == 0 {
					t.Errorf("meter %+v", m)
				}
			}
		}
	})
}

// TestLoadEndlessRules: rules that a meter would refuse are refused before it is
// asked.
func TestLoadEndlessRules(t *testing.T) {
	dir := configDir(t)
	write(t, dir, "forever.rules", "RULES\nagain: Null & 0 = 0: Goto, again;\n")
	name := write(t, dir, "rtfm.yaml", strings.ReplaceAll(wholeConfig, "coarse.rules", "forever.rules"))
	_, _, err := Load(name)
	if err == nil || !strings.Contains(err.Error(), "forever.rules:2:8: loops for ever") {
		t.Errorf("got %v", err)
	}
}
