package query

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
)

// Networks is a list of networks with names, such as those of customers.
type Networks struct {
	// File is its name.
	File string

	names  []string // by the number of the network less 1
	index  map[netip.Prefix]int32
	widths [2][]int // of IPv4 and IPv6 networks, the greatest first
}

// maxNetworks is how many networks a list may have.
const maxNetworks = 1 << 24

// ReadNetworks reads a list of networks, one a line: an address, or its beginning
// with a width, then blanks or a comma and a name, without which the network names
// itself. The name may also come first, as spreadsheets have it, if there is a comma.
// Empty lines and those that begin with # are passed over, and so is a first line
// without a network. Several networks may have one name.
func ReadNetworks(r io.Reader, file string) (*Networks, error) {
	n := &Networks{File: file, index: map[netip.Prefix]int32{}}
	numbers := map[string]int32{}
	lines := bufio.NewScanner(r)
	line := 1
	for ; lines.Scan(); line++ {
		text := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if text == "" || text[0] == '#' {
			continue
		}
		p, name, err := parseNetwork(text)
		if err != nil {
			if line == 1 && strings.Contains(text, ",") {
				continue // the names of a spreadsheet's columns
			}
			return nil, fmt.Errorf("%s:%d: %w", file, line, err)
		}
		if was, twice := n.index[p]; twice && n.names[was-1] != name {
			return nil, fmt.Errorf("%s:%d: %v is %s already", file, line, p, n.names[was-1])
		}
		if numbers[name] == 0 {
			n.names = append(n.names, name)
			numbers[name] = int32(len(n.names))
		}
		if len(n.index) == maxNetworks {
			return nil, fmt.Errorf("%s:%d: more than %d networks", file, line, maxNetworks)
		}
		n.add(p, numbers[name])
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", file, line, err)
	}
	if len(n.index) == 0 {
		return nil, fmt.Errorf("%s: there are no networks in it", file)
	}
	return n, nil
}

// add adds a network.
func (n *Networks) add(p netip.Prefix, number int32) {
	n.index[p] = number
	widths := &n.widths[0]
	if !p.Addr().Is4() {
		widths = &n.widths[1]
	}
	if i, known := slices.BinarySearchFunc(*widths, p.Bits(), func(w, bits int) int { return cmp.Compare(bits, w) }); !known {
		*widths = slices.Insert(*widths, i, p.Bits())
	}
}

// parseNetwork reads a line of a list.
func parseNetwork(text string) (p netip.Prefix, name string, err error) {
	end := strings.IndexAny(text, ", \t;")
	if end < 0 {
		end = len(text)
	}
	p, err = network(unquoted(text[:end]))
	if err == nil {
		if name = unquoted(strings.TrimLeft(text[end:], ", \t;")); name == "" {
			name = p.String()
		}
		return p, name, nil
	}
	if i := strings.LastIndexByte(text, ','); i > 0 {
		if p, err := network(unquoted(text[i+1:])); err == nil {
			return p, unquoted(text[:i]), nil
		}
	}
	return p, "", err
}

// unquoted takes blanks and a pair of quotation marks away.
func unquoted(text string) string {
	text = strings.TrimSpace(text)
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		text = strings.ReplaceAll(text[1:len(text)-1], `""`, `"`)
	}
	return text
}

// network reads a network, or an address, which is one of its own.
func network(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("%q is no network, such as 192.0.2.0/24", clip(text))
		}
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return p, fmt.Errorf("%q is no network, such as 192.0.2.0/24", clip(text))
	case p != p.Masked():
		return p, errors.New(p.String() + " has bits behind its width: " + p.Masked().String() + " has not")
	}
	return p, nil
}

// clip shortens text for a message.
func clip(text string) string {
	if len(text) > 40 {
		return text[:40] + "..."
	}
	return text
}

// find returns the number of the smallest network that an address is in, 0 if it is in
// none.
func (n *Networks) find(octets []byte) int32 {
	addr, ok := netip.AddrFromSlice(octets)
	if !ok {
		return 0
	}
	widths := n.widths[0]
	if len(octets) == 16 {
		widths = n.widths[1]
	}
	for _, w := range widths {
		p, err := addr.Prefix(w)
		if err != nil {
			continue
		}
		if number := n.index[p]; number != 0 {
			return number
		}
	}
	return 0
}

// name returns the name of a network by its number, "" for none.
func (n *Networks) name(number uint32) string {
	if number == 0 || int(number) > len(n.names) {
		return ""
	}
	return n.names[number-1]
}
