// Package block writes and reads the variables that hold many values: packages
// (RFC 2720, flowDataPackageTable), which have one flow, blocks
// (RTFM-EXTENSION-MIB, rtfmBlockTable), which have many, and column activity data,
// which is only written. What a Selection writes, a Reader of the same attributes
// reads.
package block

// MaxOctets is the size that a block may have. Eight of them fit in a message of
// SNMP over UDP.
const MaxOctets = 8000

// MaxSelector is the size that a block's selector may have, and MaxFields how many
// attributes that are.
const (
	MaxSelector = 64
	MaxFields   = MaxSelector / 2
)

// MaxMeasures is the most octets of distributions and statistics (MeasureOctets) that
// a block's selector may name beside any other attributes: two distributions, the
// largest that there are, or many statistics. Even of the largest flow all fit in
// MaxOctets then.
const MaxMeasures = 2 * (2 + 4 + 2*(2+6) + 4 + 256*(2+9))

// HeadOctets is the size of the number of flows that a block begins with.
const HeadOctets = 2
