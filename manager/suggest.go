package manager

import (
	"fmt"

	"rtfm/ruleset/spell"
)

// didYouMean returns what to say after a name that is not among the keys.
func didYouMean(name string, keys []key) string {
	names := make([]string, len(keys))
	for i := range keys {
		names[i] = keys[i].name
	}
	if n, ok := spell.Nearest(name, names); ok {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}
