package anonymise

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// ParseKey returns the key of text: 64 hexadecimal digits, with white space around them
// or not, or 32 octets as they are.
func ParseKey(text string) (*Key, error) {
	digits := strings.TrimSpace(text)
	if len(digits) == 2*KeySize {
		b, err := hex.DecodeString(digits)
		if err != nil {
			return nil, fmt.Errorf("the key has 64 characters that are not all hexadecimal digits")
		}
		return (*Key)(b), nil
	}
	if len(text) == KeySize {
		return (*Key)([]byte(text)), nil
	}
	return nil, fmt.Errorf("the key has %d octets: want 32, or 64 hexadecimal digits (head -c 32 /dev/urandom > FILE makes one)", len(text))
}
