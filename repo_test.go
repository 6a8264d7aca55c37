package main

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layout lists every package of the module with those of ours that it imports.
// Arrows point one way: the commands know everything, what describes packets and
// rules knows nothing. Tests may import more, as far as the compiler allows.
var layout = map[string][]string{
	"main": {"cmd"},

	"cmd":            everything,
	"cmd/acceptance": {},

	"packaging/editors": {},
	"packaging/man":     {"cmd"},

	"ruleset":                     {"ruleset/attr", "ruleset/spell"},
	"ruleset/attr":                {"ruleset/keyhash", "ruleset/spell"},
	"ruleset/builtin":             {"ruleset/spell"},
	"ruleset/compile":             {"ruleset", "ruleset/attr", "ruleset/builtin", "ruleset/spell", "ruleset/srl"},
	"ruleset/cover":               {"ruleset", "ruleset/attr", "ruleset/lint", "ruleset/match", "ruleset/pme", "ruleset/srl"},
	"ruleset/explain":             {"ruleset", "ruleset/attr", "ruleset/match", "ruleset/pme"},
	"ruleset/filter":              {"ruleset", "ruleset/attr", "ruleset/compile", "ruleset/pme", "ruleset/spell", "ruleset/srl"},
	"ruleset/keyhash":             {},
	"ruleset/keyhash/keyhashtest": {},
	"ruleset/lint":                {"ruleset", "ruleset/attr", "ruleset/compile", "ruleset/match", "ruleset/pme", "ruleset/srl"},
	"ruleset/lsp":                 {"ruleset", "ruleset/attr", "ruleset/compile", "ruleset/cover", "ruleset/lint", "ruleset/srl"},
	"ruleset/match":               {"ruleset/attr", "ruleset/keyhash"},
	"ruleset/pme":                 {"ruleset", "ruleset/attr", "ruleset/keyhash", "ruleset/match"},
	"ruleset/rulesettest":         {"ruleset", "ruleset/attr"},
	"ruleset/spell":               {},
	"ruleset/srl":                 {"ruleset"},

	"traces":           {},
	"traces/anonymise": {"traces"},
	"traces/feed":      {"traces/ipfix"},
	"traces/format":    {"traces", "traces/ipfix"},
	"traces/ipfix":     {"ruleset/attr", "ruleset/match"},
	"traces/live":      {"traces"},
	"traces/netflow":   {"traces", "traces/format", "traces/ipfix", "traces/survey"},
	"traces/schedule":  {"traces"},
	"traces/store":     {"traces", "traces/format"},
	"traces/survey":    {"traces"},
	"traces/tracetest": {"traces"},

	"meter":          {"meter/feed", "meter/flow", "meter/huge", "meter/ident", "meter/packet", "meter/series", "meter/stream", "ruleset", "ruleset/attr", "ruleset/keyhash", "ruleset/match", "ruleset/pme", "traces", "traces/feed", "traces/schedule"},
	"meter/control":  {"meter", "meter/export", "meter/feed", "meter/flow", "meter/series", "mib", "ruleset", "ruleset/match", "traces"},
	"meter/export":   {"traces/feed"},
	"meter/feed":     {"meter/flow", "meter/ident", "ruleset/match", "traces/feed", "traces/ipfix"},
	"meter/flow":     {"meter/huge", "ruleset/attr", "ruleset/keyhash", "ruleset/match"},
	"meter/flowset":  {"meter/flow", "ruleset/attr", "ruleset/match"},
	"meter/huge":     {},
	"meter/ident":    {"meter/huge", "ruleset/attr", "ruleset/match"},
	"meter/series":   {},
	"meter/prefetch": {},
	"meter/packet":   {"ruleset/attr", "ruleset/match", "traces", "traces/anonymise"},
	"meter/testfile": {"meter", "ruleset", "ruleset/attr", "ruleset/filter", "ruleset/match", "ruleset/pme", "ruleset/spell", "ruleset/srl", "traces", "traces/format", "traces/tracetest"},
	"meter/stream":   {"meter/huge", "meter/prefetch", "ruleset/attr", "ruleset/keyhash", "ruleset/match"},

	"mib":                   {"meter/series", "mib/block", "mib/module", "mib/smi", "ruleset", "ruleset/attr", "ruleset/match", "traces/feed"},
	"mib/agentx":            {"mib/smi"},
	"mib/agentx/agentxtest": {"mib/agentx", "mib/smi"},
	"mib/block":             {"mib/smi", "ruleset/attr", "ruleset/match"},
	"mib/client":            {"mib", "mib/block", "mib/module", "mib/smi", "ruleset", "ruleset/attr", "ruleset/match"},
	"mib/module":            {"mib/smi"},
	"mib/smi":               {},
	"mib/smi/smitest":       {"mib/smi"},
	"mib/snmp":              {"mib/smi"},
	"mib/snmp/snmptest":     {"mib/smi", "mib/snmp"},

	"reader":            {"mib", "mib/client", "reader/flowfile", "reader/record", "reader/spool", "ruleset", "ruleset/attr", "ruleset/match"},
	"reader/clickhouse": {"reader/export", "reader/record", "reader/schema"},
	"reader/export":     {"reader/flowfile", "reader/record", "reader/spool", "ruleset/match", "ruleset/spell"},
	"reader/feature":    {"meter/ident", "reader/feed", "ruleset/attr", "ruleset/match", "traces/feed"},
	"reader/feed":       {"meter/ident", "reader/flowfile", "reader/record", "ruleset/attr", "ruleset/match", "traces/feed"},
	"reader/flowfile":   {"reader/record", "reader/seriesfile", "ruleset", "ruleset/attr", "ruleset/match", "ruleset/spell"},
	"reader/httppost":   {"reader/export"},
	"reader/ipfixsink":  {"reader/export", "reader/record", "reader/spool", "ruleset/attr", "ruleset/match", "traces/ipfix"},
	"reader/kafka":      {"reader/export", "reader/record"},
	"reader/live":       {"meter/series", "reader/query", "reader/record", "reader/table", "ruleset/attr", "ruleset/match"},
	"reader/metrics":    {"mib/module", "reader/record", "ruleset/match"},
	"reader/nats":       {"reader/export", "reader/record"},
	"reader/otlp":       {"reader/export", "reader/httppost"},
	"reader/page":       {"reader/live"},
	"reader/parquet":    {"reader/export", "reader/feature", "reader/record", "reader/spool", "ruleset/attr"},
	"reader/plot":       {"meter/series", "reader/query", "reader/record", "ruleset/attr", "ruleset/match"},
	"reader/poller":     {"mib/module", "reader/metrics", "ruleset/attr", "ruleset/spell"},
	"reader/postgres":   {"reader/export", "reader/record", "reader/schema", "ruleset/attr"},
	"reader/query":      {"reader/flowfile", "reader/record", "reader/table", "ruleset", "ruleset/attr", "ruleset/match", "ruleset/spell", "ruleset/srl"},
	"reader/record":     {"ruleset", "ruleset/attr", "ruleset/match"},
	"reader/schema":     {"reader/record", "ruleset/attr"},
	"reader/screen":     {"reader/live", "reader/table"},
	"reader/seriesfile": {"meter/series", "reader/table"},
	"reader/spool":      {},
	"reader/table":      {},
	"reader/flowlist":   {"meter/flowset", "reader/flowfile", "reader/record", "ruleset/attr", "ruleset/match"},

	"reader/export/exporttest": {"reader/export", "reader/flowfile", "reader/record", "reader/spool"},

	"manager": {"mib", "mib/client", "reader", "reader/export", "reader/flowfile", "reader/spool", "ruleset", "ruleset/builtin", "ruleset/compile", "ruleset/match", "ruleset/pme", "ruleset/spell", "ruleset/srl"},
}

// everything stands for all packages.
var everything = []string{"*"}

// dependencies lists the modules of others, each with the packages that import it
// outside their tests.
var dependencies = map[string][]string{
	"github.com/alecthomas/participle/v2": {},
	"github.com/gdamore/tcell/v2":         {"reader/screen"},
	"github.com/goccy/go-yaml":            {"manager"},
	"github.com/gopacket/gopacket":        {},
	"github.com/gosnmp/gosnmp":            {"mib/client"},
	"github.com/jackc/pgx/v5":             {"reader/postgres"},
	"github.com/klauspost/compress":       {"reader/live", "reader/nats", "traces/format"},
	"github.com/nats-io/nats.go":          {"reader/nats"},
	"github.com/parquet-go/parquet-go":    {"reader/parquet"},
	"github.com/posteo/go-agentx":         {},
	"github.com/rivo/uniseg":              {"reader/screen", "reader/table"},
	"github.com/rogpeppe/go-internal":     {"cmd"},
	"github.com/schollz/progressbar/v3":   {"cmd"},
	"github.com/spf13/cobra":              {"cmd", "packaging/man"},
	"github.com/spf13/pflag":              {"cmd", "packaging/man"},
	"github.com/ulikunitz/xz":             {"traces/format"},
	"github.com/xi2/xz":                   {"traces/format"},
	"github.com/yuin/goldmark":            {"packaging/man"},
	"github.com/twmb/franz-go":            {"reader/kafka"},
	"github.com/twmb/franz-go/pkg/kmsg":   {"reader/kafka"},
	"golang.org/x/sys":                    {"traces/live", "traces/store", "traces/tracetest"},
	"golang.org/x/term":                   {"cmd"},
}

// folders lists what may stand at the top level beside files.
var folders = []string{".ci", ".git", "cmd", "docs", "manager", "meter", "mib", "packaging", "reader", "ruleset", "traces"}

// vagueFolders are names that say nothing of what is in them.
var vagueFolders = []string{"common", "core", "helpers", "internal", "models", "pkg", "types", "util", "utils"}

// A goFile is a parsed source file of the module.
type goFile struct {
	path string // from the root, with slashes
	set  *token.FileSet
	ast  *ast.File
}

// line returns the number of the line of a place in the file.
func (f goFile) line(p token.Pos) int { return f.set.Position(p).Line }

// pkg returns the folder of the file's package, "main" for the root.
func (f goFile) pkg() string {
	if dir := path.Dir(f.path); dir != "." {
		return dir
	}
	return "main"
}

func (f goFile) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// imports returns the paths that the file imports.
func (f goFile) imports() []string {
	var paths []string
	for _, spec := range f.ast.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			panic(err) // the parser has read it
		}
		paths = append(paths, p)
	}
	return paths
}

// serversModule is a module of its own, of servers for tests.
const serversModule = "cmd/acceptance/servers/"

// parseAll parses all source files of the module, for any system.
func parseAll(t *testing.T) (files []goFile) {
	t.Helper()
	for _, p := range allFiles(t) {
		if path.Ext(p) != ".go" || strings.Contains(p, "testdata/") || strings.HasPrefix(p, serversModule) {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, p, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, goFile{p, set, parsed})
	}
	return files
}

// allFiles returns the paths of all files of the project.
func allFiles(t *testing.T) (paths []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("."), ".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p == ".git":
			return fs.SkipDir
		case p == ".git": // of a worktree
		case d.Type().IsRegular():
			paths = append(paths, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// TestImportDirections holds the packages to the table above: no package
// without an entry, no import that it does not name.
func TestImportDirections(t *testing.T) {
	for _, f := range parseAll(t) {
		pkg := f.pkg()
		allowed, known := layout[pkg]
		if !known {
			t.Errorf("%s: package %s is not in the layout", f.path, pkg)
			continue
		}
		for _, imported := range f.imports() {
			if fault := importFault(pkg, allowed, imported, f.isTest()); fault != "" {
				t.Errorf("%s: %s", f.path, fault)
			}
		}
	}
}

// importFault says what is wrong with an import of a package that may import
// the allowed ones of ours, "" if nothing is.
func importFault(pkg string, allowed []string, imported string, isTest bool) string {
	if ours, ok := strings.CutPrefix(imported, "rtfm/"); ok {
		if isTest || slices.Equal(allowed, everything) || slices.Contains(allowed, ours) {
			return ""
		}
		return pkg + " may not import " + ours
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		if imported == "flag" && !isTest {
			return "the command line is cmd's, which reads it with pflag"
		}
		return "" // the standard library
	}
	module := moduleOf(imported)
	importers, known := dependencies[module]
	switch {
	case !known:
		return imported + " is of no module that the project depends on"
	case !isTest && !slices.Contains(importers, pkg):
		return pkg + " may not import " + imported
	}
	return ""
}

// moduleOf returns the dependency that holds an imported package, "" if none.
func moduleOf(imported string) string {
	module := ""
	for m := range dependencies {
		if (imported == m || strings.HasPrefix(imported, m+"/")) && len(m) > len(module) {
			module = m
		}
	}
	return module
}

// TestNothingAllowedInVain finds imports that the tables above allow and that
// nobody needs any longer.
func TestNothingAllowedInVain(t *testing.T) {
	used := map[[2]string]bool{}
	for _, f := range parseAll(t) {
		if f.isTest() {
			continue
		}
		for _, imported := range f.imports() {
			if ours, ok := strings.CutPrefix(imported, "rtfm/"); ok {
				used[[2]string{f.pkg(), ours}] = true
			} else {
				used[[2]string{f.pkg(), moduleOf(imported)}] = true
			}
		}
	}
	for pkg, allowed := range layout {
		for _, imported := range allowed {
			if imported != "*" && !used[[2]string{pkg, imported}] {
				t.Errorf("%s may import %s, and does not", pkg, imported)
			}
		}
	}
	for module, importers := range dependencies {
		for _, pkg := range importers {
			if !used[[2]string{pkg, module}] {
				t.Errorf("%s may import %s, and does not", pkg, module)
			}
		}
	}
}

// Limits of what is one thing to read, in lines.
const (
	maxFile     = 600
	maxFunction = 80
	maxCommand  = 150 // of a file of cmd
)

// TestLengths finds files and functions that are too long to be one thing.
func TestLengths(t *testing.T) {
	for _, f := range parseAll(t) {
		most := maxFile
		if f.pkg() == "cmd" && !f.isTest() {
			most = maxCommand
		}
		if n := f.line(f.ast.FileEnd) - 1; n > most {
			t.Errorf("%s has %d lines, more than %d", f.path, n, most)
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || f.isTest() {
				continue
			}
			if n := f.line(fn.End()) - f.line(fn.Pos()) + 1; n > maxFunction {
				t.Errorf("%s: %s has %d lines, more than %d", f.path, fn.Name.Name, n, maxFunction)
			}
		}
	}
}

func TestImportFault(t *testing.T) {
	for _, tc := range []struct {
		pkg, imported string
		isTest, wrong bool
	}{
		{"meter/flow", "rtfm/ruleset/match", false, false},
		{"meter/flow", "rtfm/meter", false, true},
		{"meter/flow", "rtfm/traces", true, false},
		{"mib", "rtfm/meter", false, true},
		{"cmd", "rtfm/meter", false, false},
		{"main", "rtfm/meter", false, true},
		{"meter", "slices", false, false},
		{"meter", "flag", false, true},
		{"meter", "flag", true, false},
		{"meter", "github.com/klauspost/compress/zstd", false, true},
		{"traces/format", "github.com/klauspost/compress/zstd", false, false},
		{"meter/packet", "github.com/gopacket/gopacket/layers", false, true},
		{"meter/packet", "github.com/gopacket/gopacket/layers", true, false},
		{"meter", "github.com/stretchr/testify/assert", true, true},
	} {
		if fault := importFault(tc.pkg, layout[tc.pkg], tc.imported, tc.isTest); (fault != "") != tc.wrong {
			t.Errorf("%s imports %s (test: %v): fault %q", tc.pkg, tc.imported, tc.isTest, fault)
		}
	}
}

// TestDependencies holds go.mod to the table above.
func TestDependencies(t *testing.T) {
	out, err := exec.Command("go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
		Replace []any
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	required := map[string]bool{}
	for _, r := range mod.Require {
		required[r.Path] = true
		if _, known := dependencies[r.Path]; !known && !r.Indirect {
			t.Errorf("go.mod: %s is not among the dependencies", r.Path)
		}
	}
	for m := range dependencies {
		if !required[m] {
			t.Errorf("%s is among the dependencies, but go.mod does not require it", m)
		}
	}
	if len(mod.Replace) > 0 {
		t.Errorf("go.mod replaces modules: %v", mod.Replace)
	}
}

// TestSmall: what is built with -tags small has nothing of the modules that take much room.
func TestSmall(t *testing.T) {
	out, err := exec.Command("go", "list", "-tags", "small", "-deps", ".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, large := range []string{"github.com/jackc/pgx/v5/pgconn", "github.com/nats-io/nats.go", "github.com/parquet-go/parquet-go", "github.com/twmb/franz-go/pkg/kgo"} {
		if strings.Contains(string(out), large+"\n") {
			t.Errorf("%s is in the small program", large)
		}
	}
}

// smallSize is how many octets the program has that is built with -tags small for
// linux/amd64, by Go 1.26 and without symbols. Who makes it more than 2 % larger, or
// smaller, changes it, and docs/EXPORTS.md, knowing so.
const smallSize = 20_639_906

// TestSmallSize holds the small program to its size.
func TestSmallSize(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" || runtime.GOARCH != "amd64" || !strings.HasPrefix(runtime.Version(), "go1.26") {
		t.Skip("the size is that of another system or Go, or it takes too long")
	}
	program := t.TempDir() + "/rtfm"
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags", "small", "-ldflags", "-s -w", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	if n := info.Size(); n < smallSize*98/100 || n > smallSize*102/100 {
		t.Errorf("the small program has %d octets, and should have %d", n, smallSize)
	}
}

// TestFolders finds stray folders at the top and folders of vague names.
func TestFolders(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !slices.Contains(folders, e.Name()) {
			t.Errorf("folder %s stands at the top level", e.Name())
		}
	}
	for _, p := range allFiles(t) {
		for _, name := range strings.Split(path.Dir(p), "/") {
			if slices.Contains(vagueFolders, name) {
				t.Errorf("%s: a folder named %q does not tell what it holds", p, name)
			}
		}
	}
}

// TestPackageComments finds packages that do not tell what they are for.
func TestPackageComments(t *testing.T) {
	commented := map[string]int{}
	for _, f := range parseAll(t) {
		if !f.isTest() {
			commented[f.pkg()] += 0
			if f.ast.Doc != nil {
				commented[f.pkg()]++
			}
		}
	}
	for pkg, n := range commented {
		if n != 1 {
			t.Errorf("package %s has %d package comments", pkg, n)
		}
	}
}

// TestNoHiddenState finds what runs or registers itself before main does. Tests
// may have flags, to write their golden files anew.
func TestNoHiddenState(t *testing.T) {
	for _, f := range parseAll(t) {
		if f.isTest() {
			continue
		}
		for _, fault := range hiddenState(f.ast) {
			t.Errorf("%s: %s", f.path, fault)
		}
	}
}

// hiddenState returns what in a file runs before main: init functions, imports
// for their side effects, flags and commands made in package variables.
func hiddenState(file *ast.File) (faults []string) {
	for _, spec := range file.Imports {
		if spec.Name != nil && spec.Name.Name == "_" && spec.Path.Value != `"embed"` {
			faults = append(faults, "import of "+spec.Path.Value+" for its side effects")
		}
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" {
				faults = append(faults, "function init")
			}
		case *ast.GenDecl:
			if d.Tok != token.VAR {
				continue
			}
			ast.Inspect(d, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok && slices.Contains([]string{"flag", "pflag", "cobra"}, x.Name) {
						faults = append(faults, "package variable made with "+x.Name+"."+s.Sel.Name)
					}
				}
				return true
			})
		}
	}
	return faults
}

func TestHiddenState(t *testing.T) {
	for _, tc := range []struct {
		src  string
		want int
	}{
		{"package p; import _ \"embed\"; var x = 1; func (t T) init() {}; func f() { pflag.Int() }", 0},
		{"package p; func init() {}", 1},
		{"package p; import _ \"net/http/pprof\"", 1},
		{"package p; var n = flag.Int(\"n\", 0, \"\")", 1},
		{"package p; var root = &cobra.Command{}", 1},
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "p.go", tc.src, 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := hiddenState(file); len(got) != tc.want {
			t.Errorf("%s: faults %q, want %d", tc.src, got, tc.want)
		}
	}
}

// TestNoPathsOfOneMachine finds paths that mean something on one machine only.
// The folder beside a checkout is .ci/run's business alone.
func TestNoPathsOfOneMachine(t *testing.T) {
	bad := regexp.MustCompile(`/work` + `/|/var/tmp` + `/h|\.\./` + `shared`)
	for _, p := range allFiles(t) {
		if p == ".ci/run" || p == "rtfm" || p == ".git" { // a file in a linked checkout
			continue
		}
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.IndexByte(text, 0) >= 0 {
			continue
		}
		for _, found := range bad.FindAll(text, -1) {
			t.Errorf("%s mentions %s", p, found)
		}
	}
}

// TestRequiredByCI holds .ci/run and the Makefile to what tests require: each
// must be named by RTFM_REQUIRE, and each tool be installed.
func TestRequiredByCI(t *testing.T) {
	require := regexp.MustCompile(`tracetest\.Require\(\w+, "([^"]+)"\)`)
	ci, err := os.ReadFile(".ci/run")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range allFiles(t) {
		if !strings.HasSuffix(p, "_test.go") {
			continue
		}
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range require.FindAllSubmatch(text, -1) {
			name := string(m[1])
			if !regexp.MustCompile(`RTFM_REQUIRE\+?=".*\b` + name + `\b`).Match(ci) {
				t.Errorf("%s requires %s, which .ci/run does not name in RTFM_REQUIRE", p, name)
			}
			if name != "traces" && name != "mibs" && !regexp.MustCompile(`(?m)^TOOLS =.*\b`+name+`=`).Match(makefile) {
				t.Errorf("%s requires %s, which is not among the Makefile's TOOLS", p, name)
			}
		}
	}
}
