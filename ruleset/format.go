package ruleset

import (
	"errors"
	"fmt"
	"strings"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/spell"
)

// ParseFormat reads what a FORMAT statement says between its keyword and its
// semicolon: attribute names, each with the text in quotation marks that is
// to follow its value, a blank when there is none. In the text \t is a tab,
// \" and \\ stand for themselves. What follows the last attribute is dropped,
// since a record ends there.
func ParseFormat(s string) (*Format, error) {
	var errs []error
	f, n := parseFormat(s, func(_ int, msg string) { errs = append(errs, errors.New("format: "+msg)) })
	if n < len(s) {
		errs = append(errs, fmt.Errorf("format: want the end behind the attributes, have %q", s[n:]))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return f, nil
}

// parseFormat reads attributes and separators up to a semicolon or the end,
// reports what is wrong with its place in s, and returns how far it came.
func parseFormat(s string, report func(at int, msg string)) (*Format, int) {
	f := &Format{}
	faults := 0
	complain := func(at int, msg string) {
		faults++
		report(at, msg)
	}
	open := false // an attribute stands before the separator that may come
	i := skipBlanks(s, 0)
	for i < len(s) && s[i] != ';' && faults < maxErrors {
		at := i
		switch n := spell.WordLen(s[i:]); {
		case n > 0:
			i += n
			a, ok := attr.ByName(s[at:i])
			switch {
			case !ok:
				complain(at, spell.Unknown("attribute", s[at:i], columnNames()))
			case !a.IsColumn():
				complain(at, a.String()+" is not part of a flow record")
			default:
				f.Fields = append(f.Fields, Field{Attr: a})
			}
			open = true
		case s[i] == '"':
			sep, n, fault := unquote(s[i:])
			i += n
			if fault == "" && !open {
				fault = "a separator stands before the first attribute"
			}
			if fault == "" {
				fault = separatorFault(sep)
			}
			if fault == "" && len(f.Fields) > 0 {
				joined := f.Fields[len(f.Fields)-1].Separator + sep
				if fault = separatorFault(joined); fault == "" {
					f.Fields[len(f.Fields)-1].Separator = joined
				}
			}
			if fault != "" {
				complain(at, fault)
			}
		default:
			r := firstRune(s[i:])
			i += len(r)
			complain(at, fmt.Sprintf("want an attribute or a separator in quotation marks, have %q", r))
		}
		i = skipBlanks(s, i)
	}
	if !open {
		complain(i, "want attributes")
	}
	for j := range f.Fields {
		if f.Fields[j].Separator == "" || j == len(f.Fields)-1 {
			f.Fields[j].Separator = " "
		}
	}
	return f, i
}

// Check returns an error if f is unfit for flow data: it has no attributes, one
// that flow records do not have, or a separator that could be part of a value.
func (f *Format) Check() error {
	if len(f.Fields) == 0 {
		return errors.New("format: no attributes")
	}
	for _, fd := range f.Fields {
		if !fd.Attr.IsColumn() {
			return fmt.Errorf("format: %s is not part of a flow record", fd.Attr)
		}
		if fault := separatorFault(fd.Separator); fault != "" {
			return fmt.Errorf("format: behind %s: %s", fd.Attr, fault)
		}
	}
	return nil
}

// maxSeparator is the length of the longest separator in octets.
const maxSeparator = 80

// separatorFault tells why sep may not stand between two values.
func separatorFault(sep string) string {
	if len(sep) > maxSeparator {
		return fmt.Sprintf("separator longer than %d octets", maxSeparator)
	}
	separates := false
	for i := range len(sep) {
		switch c := sep[i]; {
		case c < ' ' && c != '\t' || c == 0x7f:
			return fmt.Sprintf("separator %q holds a control character", sep)
		case spell.IsWordByte(c) && c != '_':
			return fmt.Sprintf("separator %q holds a letter or a digit", sep)
		case strings.IndexByte("._-:!", c) < 0:
			separates = true
		}
	}
	if !separates {
		return fmt.Sprintf("separator %q does not separate values", sep)
	}
	return ""
}

// String returns f as a FORMAT statement gives it, without keyword and
// semicolon; ParseFormat reads it back.
func (f *Format) String() string {
	var b []byte
	for i, fd := range f.Fields {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, fd.Attr.String()...)
		if fd.Separator != " " && i < len(f.Fields)-1 {
			b = append(b, ' ', '"')
			for _, c := range []byte(fd.Separator) {
				switch c {
				case '\t':
					b = append(b, '\\', 't')
				case '"', '\\':
					b = append(b, '\\', c)
				default:
					b = append(b, c)
				}
			}
			b = append(b, '"')
		}
	}
	return string(b)
}

// unquote reads the text in quotation marks with which s begins, returns it
// and its length in s, or what is wrong with it.
func unquote(s string) (text string, n int, fault string) {
	var b []byte
	for n = 1; n < len(s) && s[n] != '\n'; n++ {
		switch c := s[n]; {
		case c == '"':
			return string(b), n + 1, ""
		case c != '\\':
			b = append(b, c)
		default:
			n++
			switch {
			case n < len(s) && s[n] == 't':
				b = append(b, '\t')
			case n < len(s) && (s[n] == '"' || s[n] == '\\'):
				b = append(b, s[n])
			default:
				fault = `after a backslash want t, " or \`
				n--
			}
		}
		if fault != "" {
			// Go on to the closing mark, so that what follows is understood.
			if i := strings.IndexAny(s[n+1:], "\"\n"); i >= 0 && s[n+1+i] == '"' {
				return "", n + i + 2, fault
			}
			return "", n + 1, fault
		}
	}
	return "", n, "a quotation mark is not closed on its line"
}

// skipBlanks returns the place in s, from i on, after white space and
// comments.
func skipBlanks(s string, i int) int {
	for i < len(s) {
		switch s[i] {
		case ' ', '\t', '\r', '\n', '\f', '\v':
			i++
		case '#':
			n := strings.IndexByte(s[i:], '\n')
			if n < 0 {
				return len(s)
			}
			i += n
		default:
			return i
		}
	}
	return i
}

// firstRune returns the character with which s begins.
func firstRune(s string) string {
	for i := range s {
		if i > 0 {
			return s[:i]
		}
	}
	return s
}

func columnNames() []string {
	var names []string
	for _, in := range attr.All() {
		if in.Attr.IsColumn() {
			names = append(names, in.Name)
		}
	}
	return names
}
