package ruleset

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"rtfm/ruleset/attr"
)

// HashLen is the length of what Hash returns.
const HashLen = 16

// Hash returns hexadecimal digits that tell by its rules whether one ruleset is
// another, whatever its number and name. It is the same of what was read from a
// meter as of what was put there.
func (rs *RuleSet) Hash() string {
	h := sha256.New()
	var b []byte
	for i := range rs.Rules {
		r := &rs.Rules[i]
		b = append(b[:0], r.Attr.String()...)
		b = appendOctets(b, r.Mask)
		b = appendOctets(b, r.Value)
		b = append(append(append(b, ' '), r.Op.String()...), ' ')
		b = append(strconv.AppendInt(b, int64(r.Param), 10), '\n')
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))[:HashLen]
}

// appendOctets appends the octets of a mask or value as meters keep them, at least
// one: ` [255 0]`.
func appendOctets(b []byte, v attr.Value) []byte {
	b = append(b, " ["...)
	for i, octet := range v.Resize(max(v.Len(), 1)).Append(nil) {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendUint(b, uint64(octet), 10)
	}
	return append(b, ']')
}

// PlainName returns the ruleset's name without the hash that managers put behind it
// in meters.
func (rs *RuleSet) PlainName() string {
	return strings.TrimSuffix(rs.Name, " "+rs.Hash())
}

// WithoutHash returns a ruleset's name in a meter without what looks like a hash behind
// it.
func WithoutHash(name string) string {
	at := len(name) - HashLen - 1
	if at < 0 || name[at] != ' ' || strings.Trim(name[at+1:], "0123456789abcdef") != "" {
		return name
	}
	return name[:at]
}
