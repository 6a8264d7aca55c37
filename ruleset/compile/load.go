package compile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"rtfm/ruleset"
	"rtfm/ruleset/builtin"
	"rtfm/ruleset/srl"
)

// maxFile is the size of the largest program or rule file that is read, in
// octets.
const maxFile = 256 << 20

// Load reads an SRL program or a rule file; the name "-" stands for stdin, and one
// that begins with "@" for a program of package builtin. A
// rule file has the extension .rules, a program .srl; other files are told
// apart by their content. Warnings are for what loads but hardly does what was
// meant; err is as Source or ruleset.ParseRules returns it, or says why the
// file cannot be read.
func Load(name string, stdin io.Reader, opts srl.Options) (rs *ruleset.RuleSet, warnings ruleset.Diagnostics, err error) {
	text, rules, err := Text(name, stdin)
	switch {
	case err != nil:
		return nil, nil, err
	case rules:
		return ruleset.ParseRules(name, text)
	}
	return Source(name, text, opts)
}

// Text reads what Load does; rules is set for a rule file.
func Text(name string, stdin io.Reader) (text []byte, rules bool, err error) {
	if builtin.Is(name) {
		p, err := builtin.Find(name)
		if err != nil {
			return nil, false, err
		}
		return []byte(p.Text), false, nil
	}
	text, err = readText(name, stdin)
	return text, isRuleFile(name, text), err
}

// ReadProgram reads the text of an SRL program; the name "-" stands for stdin. A rule
// file is refused.
func ReadProgram(name string, stdin io.Reader) ([]byte, error) {
	text, err := readText(name, stdin)
	if err == nil && isRuleFile(name, text) {
		err = fmt.Errorf("%s: a rule file, no SRL program", name)
	}
	return text, err
}

// readText reads a file of which what is no text is refused.
func readText(name string, stdin io.Reader) ([]byte, error) {
	text, err := readFile(name, stdin)
	if err == nil && bytes.IndexByte(text, 0) >= 0 {
		err = fmt.Errorf("%s: no text, which an SRL program and a rule file are; is it a trace?", name)
	}
	return text, err
}

// Open reads a file that the file from includes: its name is relative to the folder
// of that file, and path the name that messages have.
func Open(from, name string) (path string, text []byte, err error) {
	if path = name; !filepath.IsAbs(path) {
		path = filepath.Join(filepath.Dir(from), name)
	}
	if name == "" {
		return path, nil, errors.New("a file has a name")
	}
	info, err := os.Stat(path)
	var fault *fs.PathError
	switch {
	case errors.As(err, &fault):
		return path, nil, fmt.Errorf("%s: %w", path, fault.Err)
	case err != nil:
		return path, nil, err
	case !info.Mode().IsRegular(): // what others may wait at, or never end
		return path, nil, fmt.Errorf("%s: no file", path)
	}
	text, err = readFile(path, nil)
	return path, text, err
}

func readFile(name string, stdin io.Reader) ([]byte, error) {
	r := stdin
	var text bytes.Buffer
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
		if info, err := f.Stat(); err == nil {
			text.Grow(int(min(info.Size(), maxFile)) + bytes.MinRead)
		}
	}
	_, err := text.ReadFrom(io.LimitReader(r, maxFile+1))
	if err == nil && text.Len() > maxFile {
		err = fmt.Errorf("%s: larger than %d octets", name, maxFile)
	}
	return text.Bytes(), err
}

// aRule is what rule files hold and SRL programs never do: the RULES statement,
// or a test with its action.
var aRule = regexp.MustCompile(`(?im)^\s*(rules\s*$|(\w+\s*:)?\s*\w+\s*&\s*[\w.!:-]+\s*=\s*[\w.!:'-]+\s*:?\s*(ignore|nomatch|count|return|gosub|goto|assign|push|pop|retry|fail))`)

// isRuleFile tells a rule file from an SRL program: by the file's extension,
// or for others by what it holds.
func isRuleFile(name string, text []byte) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".rules":
		return true
	case ".srl":
		return false
	}
	return aRule.Match(text)
}
