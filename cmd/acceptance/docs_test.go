package acceptance

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// TestDocuments runs the commands that the documents show and compares what
// they print. In a block fenced as "console" whose first command is rtfm, "go
// run .", cp or one of net-snmp's programs, each line that begins with "$ " is given
// to a shell, in a folder that holds what the root of the repository holds and is
// kept from one command of a document to the next; a line that ends in a
// backslash goes on in the next one, which may begin with the shell's "> ". The
// lines up to the next command are what it prints, standard error included.
//
// In them, "..." alone on a line stands for any number of lines, within a line
// for any text. Figures that no two runs have in common (volatile below) are not
// compared.
//
// A command that ends in " &" runs until the document's end; the next one is
// given to the shell when it has printed what is shown. A block fenced as "conf"
// whose first line is "# NAME" is the file of that name. Addresses that may be
// taken on the machine (sockets below) are changed to free ones, everywhere.
//
// With RTFM_UPDATE set in the environment, what differs and is shown in full is
// written into the documents.
func TestDocuments(t *testing.T) {
	t.Parallel()
	for _, p := range documents(t) {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(p, func(t *testing.T) {
			// A command that hangs, and what runs beside it, is killed.
			limited, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			d := shownCommands{path: p, dir: likeRoot(t), limited: limited}
			text, asShown := withFreeSockets(t, d.dir, string(text))
			d.asShown = asShown
			writeDocFiles(t, d.dir, text)
			d.env = append(netSNMPEnviron(t, d.dir), "PATH="+os.Getenv("PATH")+":/usr/sbin", "MIBDIRS=mib:"+os.Getenv("RTFM_MIBS"))
			for _, c := range docCommands(text) {
				if netSNMP.MatchString(c.line) {
					tracetest.Require(t, "snmpget")
				}
				if strings.HasPrefix(c.line, "snmpd ") {
					tracetest.Require(t, "snmpd")
					tracetest.Require(t, "mibs") // where snmpd is, objects are called by name
				}
				if strings.HasPrefix(c.line, "SNMPCONFPATH=users/") {
					tracetest.Require(t, "mibs") // and by these users
				}
				switch {
				case strings.Contains(c.line, "| jq "):
					t.Run("jq", func(t *testing.T) { tracetest.Require(t, "jq"); d.run(t, c) })
				case strings.Contains(c.line, "| sqlite3 "):
					t.Run("sqlite3", func(t *testing.T) { tracetest.Require(t, "sqlite3"); d.run(t, c) })
				default:
					d.run(t, c)
				}
			}
			updateDocument(t, p, d.changes)
		})
	}
}

// shownCommands runs the commands of a document.
type shownCommands struct {
	path, dir string
	limited   context.Context
	env       []string
	asShown   *strings.Replacer // puts the document's addresses in the place of those used
	changes   []docCommand      // see updateDocument
}

func (d *shownCommands) run(t *testing.T, c docCommand) {
	t.Helper()
	shell := exec.CommandContext(d.limited, "sh", "-c", asInstalled(strings.TrimSuffix(c.line, " &")))
	shell.WaitDelay = time.Second
	shell.Dir, shell.Env = d.dir, d.env
	if !strings.Contains(c.line, "SNMPCONFPATH=") {
		shell.Env = append(d.env, "MIBS=") // no snmp.conf says which there are
	}
	if strings.HasSuffix(c.line, " &") {
		runBeside(t, shell, func(out string) bool { return looksLike(out, c.output) }, 20*time.Second)
		return
	}
	out, err := shell.CombinedOutput()
	switch {
	case err != nil:
		t.Errorf("%s:%d: %s: %v\n%s", d.path, c.at, c.line, err, out)
	case looksLike(string(out), c.output):
	case os.Getenv("RTFM_UPDATE") != "" && !strings.Contains(c.output, "..."):
		d.changes = append(d.changes, docCommand{c.at, c.output, d.asShown.Replace(string(out))})
	default:
		t.Errorf("%s:%d: %s prints\n%s\nnot\n%s", d.path, c.at, c.line, out, c.output)
	}
}

// updateDocument puts other outputs into a document; the lines of the commands are
// the outputs that they take the place of.
func updateDocument(t *testing.T, path string, changes []docCommand) {
	t.Helper()
	if len(changes) == 0 {
		return
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	for _, c := range slices.Backward(changes) {
		lines = slices.Replace(lines, c.at, c.at+strings.Count(c.line, "\n"), c.output)
	}
	if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o644); err != nil {
		t.Fatal(err)
	}
}

// toRun matches commands whose blocks are run, netSNMP those of net-snmp.
var (
	toRun   = regexp.MustCompile(`^(\w+=\S+ )*(cp|rtfm|snmp[a-z]+) `)
	netSNMP = regexp.MustCompile(`^(\w+=\S+ )*snmp[a-z]+ `)
)

// docFile matches a block that is a file.
var docFile = regexp.MustCompile("(?m)^```conf\n# (\\S+)\n((?:.*\n)*?)```$")

// writeDocFiles writes the files that a document shows.
func writeDocFiles(t *testing.T, dir, text string) {
	t.Helper()
	for _, m := range docFile.FindAllStringSubmatch(text, -1) {
		path := filepath.Join(dir, m[1])
		if top, _, _ := strings.Cut(m[1], "/"); isLink(filepath.Join(dir, top)) {
			t.Fatalf("%s is the repository's own", m[1])
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(m[2]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&os.ModeSymlink != 0
}

// sockets matches the addresses that documents show.
var sockets = regexp.MustCompile(`127\.0\.0\.1:(?:116\d|8080)|/var/agentx/master`)

// withFreeSockets returns a document's text with addresses that are free here, and
// what changes them back.
func withFreeSockets(t *testing.T, dir, text string) (changed string, asShown *strings.Replacer) {
	free := map[string]string{"/var/agentx/master": filepath.Join(dir, "agentx")}
	changed = sockets.ReplaceAllStringFunc(text, func(shown string) string {
		if free[shown] == "" {
			network := "udp"
			if strings.HasSuffix(shown, ":8080") {
				network = "tcp"
			}
			free[shown] = tracetest.Address(t, network)
		}
		return free[shown]
	})
	var back []string
	for shown, used := range free {
		back = append(back, used, shown)
	}
	return changed, strings.NewReplacer(back...)
}

// rooted are the folders of the project, and the names of its files in the root. Whoever
// has followed the documents has other files there, which commands must not find.
var (
	rooted      = []string{"cmd", "docs", "manager", "meter", "mib", "packaging", "reader", "ruleset", "traces"}
	rootedFiles = []string{"*.md", "*.go", "go.*", "Makefile", "*.service"}
)

// likeRoot makes a folder with links to all of the project that the repository's root
// holds, where commands may write files.
func likeRoot(t *testing.T) string {
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		isOurs := func(pattern string) bool { ok, _ := filepath.Match(pattern, e.Name()); return ok }
		if !slices.ContainsFunc(rooted, isOurs) && !slices.ContainsFunc(rootedFiles, isOurs) {
			continue
		}
		if err := os.Symlink(filepath.Join(root, e.Name()), filepath.Join(dir, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// A docCommand is a command that a document shows with what it prints.
type docCommand struct {
	at     int // its line in the document, from 1
	line   string
	output string
}

// docCommands returns the commands to run in a document.
func docCommands(text string) (all []docCommand) {
	var block []docCommand
	inBlock, goesOn := false, false
	for i, line := range strings.Split(text, "\n") {
		switch {
		case !inBlock:
			inBlock = line == "```console"
		case line == "```":
			if len(block) > 0 && toRun.MatchString(asInstalled(block[0].line)) {
				all = append(all, block...)
			}
			block, inBlock, goesOn = nil, false, false
		case goesOn:
			last := &block[len(block)-1]
			last.line += "\n" + strings.TrimPrefix(line, "> ")
			goesOn = strings.HasSuffix(line, `\`)
		case strings.HasPrefix(line, "$ "):
			block = append(block, docCommand{at: i + 1, line: line[2:]})
			goesOn = strings.HasSuffix(line, `\`)
		case len(block) > 0:
			block[len(block)-1].output += line + "\n"
		}
	}
	return all
}

// asInstalled returns a command that builds and runs the program from its
// source as one that runs it as installed.
func asInstalled(command string) string {
	for _, built := range []string{"go run . ", "./rtfm "} {
		if rest, ok := strings.CutPrefix(command, built); ok {
			return "rtfm " + rest
		}
	}
	return command
}

// volatile matches figures that differ from one run to the next.
var volatile = regexp.MustCompile(`[0-9]+( packets/s).*`)

// looksLike reports whether output is what a document shows of it.
func looksLike(output, shown string) bool {
	var pattern strings.Builder
	pattern.WriteString(`\A`)
	for line := range strings.Lines(volatile.ReplaceAllString(shown, "N$1")) {
		if line == "...\n" {
			pattern.WriteString(`(?:.*\n)*`)
			continue
		}
		pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), `\.\.\.`, `.*`))
	}
	pattern.WriteString(`\z`)
	return regexp.MustCompile(pattern.String()).MatchString(volatile.ReplaceAllString(output, "N$1"))
}

func TestDocCommands(t *testing.T) {
	const text = "Text\n" +
		"```console\n$ rtfm a \\\n>   b\nout 1\nout 2\n$ head x\nout 3\n```\n" +
		"```sh\n$ rtfm not run\n```\n" +
		"```console\n$ make check\nok\n```\n" +
		"```console\n$ go run . run\n```\n" +
		"```console\n$ A=b snmpget x\nout 4\n```\n"
	got := docCommands(text)
	want := []docCommand{
		{3, "rtfm a \\\n  b", "out 1\nout 2\n"},
		{7, "head x", "out 3\n"},
		{18, "go run . run", ""},
		{21, "A=b snmpget x", "out 4\n"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestLooksLike(t *testing.T) {
	for _, tc := range []struct {
		output, shown string
		want          bool
	}{
		{"a\nb\n", "a\nb\n", true},
		{"a\nb\n", "a\n", false},
		{"a\n", "a\nb\n", false},
		{"a\nx\ny\nb\n", "a\n...\nb\n", true},
		{"a\nb\n", "a\n...\nb\n", true},
		{"a\nb\n", "a\n...\nc\n", false},
		{"a 1 b\n", "a ... b\n", true},
		{"a 1 c\n", "a ... b\n", false},
		{"(a)\n", "(a)\n", true},
		{"12 packets\n1234567 packets/s\n", "12 packets\n95 packets/s\n", true},
		{"12 packets\n1234567 packets/s\n", "13 packets\n95 packets/s\n", false},
	} {
		if got := looksLike(tc.output, tc.shown); got != tc.want {
			t.Errorf("looksLike(%q, %q) = %v", tc.output, tc.shown, got)
		}
	}
}

// documents returns the paths of the project's documents.
func documents(t *testing.T) (paths []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("."), ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err == nil && d.IsDir() && (p == ".git" || d.Name() == "testdata"):
			return fs.SkipDir
		case err == nil && path.Ext(p) == ".md":
			paths = append(paths, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func TestUpdateDocument(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.md")
	text := "```console\n$ rtfm a\nold 1\nold 2\n$ rtfm b\nkept\n$ rtfm c\n```\nText\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	updateDocument(t, path, []docCommand{{2, "old 1\nold 2\n", "new\n"}, {7, "", "new 1\nnew 2\n"}})
	got, err := os.ReadFile(path)
	if want := "```console\n$ rtfm a\nnew\n$ rtfm b\nkept\n$ rtfm c\nnew 1\nnew 2\n```\nText\n"; err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
}
