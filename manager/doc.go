// Package manager puts rulesets into meters, runs tasks with them, keeps the
// meters as they are meant to be, and has a reader collect their flows (RFC 2722
// section 6). What each meter is to do comes from a configuration file, which
// CONFIG.md beside this file describes.
package manager
