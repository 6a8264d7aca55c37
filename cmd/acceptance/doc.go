// Package acceptance tests the whole program, as its users have it: against the
// truth of other programs, in all ways to meter, live, killed, flooded, and by the
// commands that its documents show. Its tests run at the root of the repository.
package acceptance
