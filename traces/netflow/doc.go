// Package netflow makes flow records, as routers export them, a source of
// traffic to meter: NetFlow versions 5 and 9 (RFC 3954) and IPFIX (RFC 7011),
// from the export datagrams in a trace or at a UDP socket.
//
// Each record becomes a packet of a traces.Batch, with a traces.Record that
// holds what the router has counted. The packet's octets are headers such as
// the flow's packets had: Ethernet with a tag if the router exports these, IP,
// and the transport header. So records are metered in the same way as packets.
//
// # Time
//
// A record has the time of the datagram that brought it, not those of the flow:
// records come in the order in which flows end, so that by their own times each
// second one would be late, and the clocks of routers differ.
//
// # What is counted
//
// PDUs and octets are those of the record's interval (the delta counters), or
// the total ones if there are no others, times the sampling interval that the
// exporter tells. A record of both directions (RFC 5103, or with counters of
// initiator and responder) becomes two packets. Records that count no packets
// are left out.
//
// # Templates
//
// Templates are those of an exporter's address and source ID (NetFlow 9), or
// address, port and observation domain (IPFIX). Records whose template has not
// come yet cannot be read; they are counted and reported. Templates are kept
// until they are withdrawn or replaced, also when the exporter restarts, within
// the memory allowed for one address and for all: the least recently used go
// first.
//
// # Trust
//
// UDP does not prove the sender. Config.Exporters are the addresses that are
// believed; the network must still keep others from using them. Whatever a
// datagram holds, what is kept of it is bounded, and the work is in proportion
// to its octets.
package netflow
