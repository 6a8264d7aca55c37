package manager

import (
	"fmt"
	"strings"
)

// didYouMean returns what to say after a name that is not among the keys.
func didYouMean(name string, keys []key) string {
	best, distance := "", 3
	for _, k := range keys {
		if d := editDistance(strings.ToLower(name), k.name, distance); d < distance && d < len(k.name) {
			best, distance = k.name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// editDistance returns how many octets have to be put in, taken out or
// replaced to make b of a; at least limit if that many are or more.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}
