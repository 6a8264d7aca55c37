// Package reader collects flows from meters.
package reader
