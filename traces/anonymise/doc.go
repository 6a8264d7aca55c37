// Package anonymise hides who sent packets, and keeps what a meter counts.
//
// IP addresses are replaced by one of two published schemes that keep prefixes: two
// addresses that have their first n bits in common have so afterwards, too, and no
// more. Link addresses keep their manufacturer. Checksums are mended so that what was
// right is right and what was wrong is wrong (RFC 1624); payload is left out, and so is
// what is not understood, since it may have addresses in it.
//
// Where headers stand in a packet is for others to say (Config.Parts): from an IP
// header on the package finds its way itself.
package anonymise
