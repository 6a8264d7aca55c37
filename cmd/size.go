package cmd

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// size is a number of octets, which people write as 1000000, 500KiB or 64MiB. It is a
// pflag.Value.
type size int

// sizeUnits are those that sizes may have.
var sizeUnits = []struct {
	name string
	bits int
}{{"KiB", 10}, {"MiB", 20}, {"GiB", 30}}

// Set implements pflag.Value.
func (s *size) Set(text string) error {
	bits := 0
	for _, u := range sizeUnits {
		if n, ok := strings.CutSuffix(text, u.name); ok {
			text, bits = n, u.bits
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt>>bits {
		return errors.New("want octets, as 1000000, 500KiB or 64MiB")
	}
	*s = size(n << bits)
	return nil
}

// String implements pflag.Value.
func (s *size) String() string {
	for i := len(sizeUnits) - 1; i >= 0; i-- {
		if u := sizeUnits[i]; *s > 0 && *s%(1<<u.bits) == 0 {
			return fmt.Sprint(int(*s)>>u.bits, u.name)
		}
	}
	return strconv.Itoa(int(*s))
}

// Type implements pflag.Value.
func (*size) Type() string { return "size" }
