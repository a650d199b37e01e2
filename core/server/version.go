package server

import (
	"runtime/debug"
	"strings"
)

// release is the version of this tree.
const release = "0.1.0"

// Build is what the build recorded about the program.
type Build struct {
	Release string
	Commit  string // "" if the build did not record it
	Date    string // of the commit, as RFC 3339; "" if the build did not record it
	Changed bool   // whether files differed from the commit
}

// ReadBuild returns the build of this program.
func ReadBuild() Build {
	b := Build{Release: release}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value[:min(12, len(s.Value))]
		case "vcs.time":
			b.Date = s.Value
		case "vcs.modified":
			b.Changed = s.Value == "true"
		}
	}
	return b
}

// String returns the release with the commit and its date, such as "0.1.0 (commit 0123456789ab of 2026-01-31)".
func (b Build) String() string {
	if b.Commit == "" {
		return b.Release + " (commit not recorded)"
	}
	day, _, _ := strings.Cut(b.Date, "T")
	text := b.Release + " (commit " + b.Commit
	if day != "" {
		text += " of " + day
	}
	if b.Changed {
		text += ", with changes"
	}
	return text + ")"
}

// Version returns the release, with the commit if the build recorded it.
func Version() string {
	if b := ReadBuild(); b.Commit != "" {
		return release + "+" + b.Commit
	}
	return release
}
