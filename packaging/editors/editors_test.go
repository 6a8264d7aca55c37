// Package editors holds what editors colour SRL programs by. Its tests write these
// files from the tables of the language, with -update, and hold them to these.
package editors

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/srl"
	"rtfm/traces/tracetest"
)

var update = flag.Bool("update", false, "write the files anew")

// contextual are words that are keywords where they stand only.
var contextual = []string{"and", "file", "format", "include", "not", "or", "set", "statistics"}

// keywords returns the language's words in small letters.
func keywords() (list []string) {
	for _, k := range srl.Keywords() {
		list = append(list, strings.ToLower(k))
	}
	return append(list, contextual...)
}

// attributes returns the names of attributes that programs may have.
func attributes() (list []string) {
	for _, in := range attr.All() {
		if in.Attr.Testable() || in.Attr.IsColumn() {
			list = append(list, in.Name)
		}
	}
	return list
}

// people returns what people call attributes, that is no name of one.
func people() (list []string) {
	for _, w := range attr.Words() {
		if _, is := attr.ByName(w); !is {
			list = append(list, w)
		}
	}
	return list
}

// names returns the names that values have, the longest first.
func names() (list []string) {
	for _, a := range attr.Named() {
		for _, v := range attr.NamedValues(a) {
			list = append(list, v.Names...)
		}
	}
	slices.Sort(list)
	list = slices.Compact(list)
	slices.SortStableFunc(list, func(a, b string) int { return len(b) - len(a) })
	return list
}

// vim returns a syntax file of Vim.
func vim() []byte {
	var b bytes.Buffer
	b.WriteString(`" Vim syntax file: SRL, the Simple Ruleset Language (RFC 2723) with rtfm's additions.
" Written from the language's tables by go test ./packaging/editors -update.
if exists("b:current_syntax")
  finish
endif
syntax case ignore
" Names of values have hyphens.
syntax iskeyword @,48-57,_,-
`)
	for _, group := range []struct {
		name  string
		words []string
	}{{"srlKeyword", keywords()}, {"srlAttribute", attributes()}, {"srlWord", people()}, {"srlName", names()}} {
		for words := range slices.Chunk(group.words, 8) {
			b.WriteString("syntax keyword " + group.name + " " + strings.Join(words, " ") + "\n")
		}
	}
	b.WriteString(`syntax match srlNumber "\<\d[0-9a-f.:!]*\(-\x\+\)*\(/\d\+\)\?"
syntax match srlOperator ":=\|==\|!=\|<=\|>=\|&&\|||\|\.\.\|[=<>!&]"
syntax region srlText start=+"+ skip=+\\.+ end=+"+ oneline
syntax match srlCharacter "'\(\\.[^']*\|[^'\\]\)'"
syntax match srlComment "#.*$" contains=@Spell
syntax region srlComment start="/\*" end="\*/" contains=@Spell
highlight default link srlKeyword Statement
highlight default link srlAttribute Identifier
highlight default link srlWord Identifier
highlight default link srlName Constant
highlight default link srlNumber Number
highlight default link srlOperator Operator
highlight default link srlText String
highlight default link srlCharacter Character
highlight default link srlComment Comment
syntax sync fromstart
setlocal commentstring=#\ %s
let b:current_syntax = "srl"
`)
	return b.Bytes()
}

// textMate returns a TextMate grammar.
func textMate(t *testing.T) []byte {
	word := func(list []string) string { return `(?i)(?<![\w-])(?:` + strings.Join(list, "|") + `)(?![\w-])` }
	type object = map[string]any
	grammar := object{
		"$schema":   "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
		"name":      "SRL",
		"comment":   "Written from the language's tables by go test ./packaging/editors -update.",
		"scopeName": "source.srl",
		"fileTypes": []string{"srl"},
		"patterns": []object{
			{"name": "comment.line.number-sign.srl", "match": "#.*$"},
			{"name": "comment.block.srl", "begin": `/\*`, "end": `\*/`},
			{"name": "string.quoted.double.srl", "begin": `"`, "end": `"|$`, "patterns": []object{{"name": "constant.character.escape.srl", "match": `\\.`}}},
			{"name": "constant.character.srl", "match": `'(?:\\.[^']*|[^'\\])'`},
			{"match": `(?i)\b(define)\s+(\w+)`, "captures": object{"1": object{"name": "keyword.control.srl"}, "2": object{"name": "variable.other.constant.srl"}}},
			{"match": `(?i)\b(subroutine|call)\s+(\w+)`, "captures": object{"1": object{"name": "keyword.control.srl"}, "2": object{"name": "entity.name.function.srl"}}},
			{"name": "keyword.control.srl", "match": word(keywords())},
			{"name": "support.variable.attribute.srl", "match": word(attributes())},
			{"name": "support.variable.word.srl", "match": word(people())},
			{"name": "support.constant.name.srl", "match": word(names())},
			{"name": "constant.numeric.srl", "match": `\b\d[0-9A-Fa-f.:!]*(?:-[0-9A-Fa-f]+)*(?:/\d+)?`},
			{"name": "keyword.operator.srl", "match": `:=|==|!=|<=|>=|&&|\|\||\.\.|[=<>!&]`},
		},
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(grammar); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFiles(t *testing.T) {
	for name, want := range map[string][]byte{"srl.vim": vim(), "srl.tmLanguage.json": textMate(t)} {
		if *update {
			if err := os.WriteFile(name, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is not what the language's tables make of it: go test ./packaging/editors -update", name)
		}
	}
}

// TestExtension holds that what the extension for Visual Studio Code names is there.
func TestExtension(t *testing.T) {
	text, err := os.ReadFile("package.json")
	if err != nil {
		t.Fatal(err)
	}
	var extension struct {
		Contributes struct {
			Languages []struct{ ID, Configuration string }
			Grammars  []struct{ Language, ScopeName, Path string }
		}
	}
	if err := json.Unmarshal(text, &extension); err != nil {
		t.Fatal(err)
	}
	c := extension.Contributes
	if len(c.Languages) != 1 || len(c.Grammars) != 1 || c.Grammars[0].Language != c.Languages[0].ID || c.Grammars[0].ScopeName != "source.srl" {
		t.Fatalf("%+v", c)
	}
	for _, name := range []string{c.Languages[0].Configuration, c.Grammars[0].Path} {
		text, err := os.ReadFile(name)
		if err != nil || !json.Valid(text) {
			t.Errorf("%s: %v, or no JSON", name, err)
		}
	}
}

// TestColours has Neovim colour a program.
func TestColours(t *testing.T) {
	tracetest.Require(t, "nvim")
	const program = `# a comment
define ours = (10.1/16, 2001:db8::/32, FF-00);
IF sourcepeeraddress == ours && DestTransAddress == ftp-data save, { format "a" ; }
if dport != 'x' /* and
more */ count;
`
	want := map[string]string{ // what stands at a line and column, from 1
		"1 3": "srlComment", "2 1": "srlKeyword", "2 8": "", "2 16": "srlNumber", "2 25": "srlNumber",
		"3 1": "srlKeyword", "3 4": "srlAttribute", "3 22": "srlOperator", "3 53": "srlName", "3 57": "srlName", "3 62": "srlKeyword", "3 77": "srlText",
		"4 4": "srlWord", "4 13": "srlCharacter", "4 20": "srlComment", "5 1": "srlComment", "5 9": "srlKeyword",
	}
	dir := t.TempDir()
	syntax, err := filepath.Abs("srl.vim")
	if err != nil {
		t.Fatal(err)
	}
	var script strings.Builder
	script.WriteString("syntax on\nsource " + syntax + "\nlet seen = []\n")
	for at := range want {
		line, col, _ := strings.Cut(at, " ")
		script.WriteString("call add(seen, '" + at + ":' . synIDattr(synID(" + line + ", " + col + ", 1), 'name'))\n")
	}
	script.WriteString("call writefile(seen, 'seen')\nqa!\n")
	for name, text := range map[string]string{"script.vim": script.String(), "a.txt": program} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	nvim := exec.CommandContext(t.Context(), "nvim", "--headless", "-n", "-i", "NONE", "-u", "NONE", "-S", "script.vim", "a.txt")
	nvim.Dir = dir
	if out, err := nvim.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	seen, err := os.ReadFile(filepath.Join(dir, "seen"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(seen)) {
		at, group, _ := strings.Cut(strings.TrimSpace(line), ":")
		if group != want[at] {
			t.Errorf("%s is %q, want %q", at, group, want[at])
		}
	}
}

// TestWords holds that words of the tables need nothing that would end them early.
func TestWords(t *testing.T) {
	plain := regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	for _, w := range slices.Concat(keywords(), attributes(), people(), names()) {
		if !plain.MatchString(w) {
			t.Errorf("%q is more than a word", w)
		}
	}
}
