// Package spell knows the words of texts that people write: how long one is, and
// which was probably meant by one that nothing has.
package spell

import (
	"fmt"
	"strings"
)

// maxNearest is the length of the longest name that Nearest looks at, and
// mostNearest that of those it compares that with: longer ones are too far off.
const (
	maxNearest  = 64
	mostNearest = maxNearest + maxNearest/4 + 1
)

// Nearest returns the one of these names that was probably meant: the one
// that fewest single-letter changes, swaps of neighbours among them, make out
// of name, if they are few for its length. Case is ignored, and of equally
// near names the first in alphabetical order is taken.
func Nearest(name string, among []string) (string, bool) {
	if len(name) > maxNearest {
		return "", false
	}
	word := strings.ToLower(name)
	best, limit := "", len(word)/4+1
	for _, n := range among {
		d := distance(word, strings.ToLower(n), limit)
		if d < limit || d == limit && (best == "" || n < best) {
			best, limit = n, d
		}
	}
	return best, best != ""
}

// distance counts the changes, omissions, insertions and swaps of neighbouring
// letters that turn a into b; limit+1 when there are more than limit.
func distance(a, b string, limit int) int {
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	var rows [3][mostNearest + 1]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := range len(b) + 1 {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], limit+1)
}

// WordLen returns the length of the word with which s begins: a letter or '_',
// then letters, digits and '_'.
func WordLen(s string) int {
	n := 0
	for n < len(s) && IsWordByte(s[n]) && (n > 0 || s[n] > '9') {
		n++
	}
	return n
}

// IsWordByte reports whether c may be part of a word.
func IsWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

// Unknown says that there is no such name of that kind, and which one was
// probably meant.
func Unknown(kind, name string, known []string) string {
	if len(name) > 64 {
		name = name[:64] + "..."
	}
	msg := fmt.Sprintf("no %s %q", kind, name)
	if n, ok := Nearest(name, known); ok {
		msg += "; did you mean " + n + "?"
	}
	return msg
}

// UnknownOf is Unknown for a few names, all of which it tells if none of them was
// probably meant.
func UnknownOf(kind, name string, known []string) string {
	msg := Unknown(kind, name, known)
	if _, ok := Nearest(name, known); !ok {
		msg += ": there are " + strings.Join(known, ", ")
	}
	return msg
}
