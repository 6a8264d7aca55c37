//go:build !unix

package reader

// noFollow is nothing: links are followed.
const noFollow = 0
