package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/server"
)

// advertised is where clients can read a limit, by its setting.
var advertised = map[string]string{
	"limits.stanza_bytes":      "`max-bytes` after login (XEP-0478)",
	"limits.login_bytes":       "`max-bytes` before login (XEP-0478)",
	"limits.idle":              "`idle-seconds`, twice as long (XEP-0478)",
	"login.resume":             "`max` of `<enabled/>` (XEP-0198)",
	"login.iterations":         "in the challenge (RFC 5802)",
	"login.token_life":         "`expiry` of the token (XEP-0484)",
	"upload.size":              "`max-file-size` in the service's form, and of the error (XEP-0363)",
	"upload.profile_size":      "`max-file-size` of the error (XEP-0363)",
	"upload.daily":             "`<retry/>` of the error (XEP-0363)",
	"upload.daily_files":       "`<retry/>` of the error (XEP-0363)",
	"upload.total":             "`<retry/>` of the error (XEP-0363)",
	"limits.search_results":    "the number of all, and a page (XEP-0059)",
	"accounts.invitation_time": "`expire` in the command's form (XEP-0401)",
}

// alsoLimits are limits outside of [limits] that have nothing to count.
var alsoLimits = []string{
	"media.size", "media.cache", "media.keep", "media.fetches", "media.address_rate", "media.login_rate",
	"login.iterations", "login.token_life", "login.resume", "accounts.invitation_time", "server.archive", "upload.keep", "server.shutdown",
	"rooms.occupants", "rooms.affiliations", "rooms.nick_bytes", "rooms.subject_bytes", "rooms.history", "rooms.archive_time", "rooms.archive_messages",
}

const limitsHead = `# Limits

Written by ` + "`go run ./cmd/docs`" + ` from the settings and from what the code declares; [REFERENCE.md](REFERENCE.md) has all settings. Every
limit is in force with its default, and a test runs into each one that is counted (TestLimits in core/server). How often limits were
reached is logged every minute (` + "`limits reached`" + `).

| setting | default | meaning | advertised | counted | reload |
| --- | --- | --- | --- | --- | --- |
`

// limits returns the page about limits.
func limits() string {
	counted := server.CountedLimits()
	var b strings.Builder
	b.WriteString(limitsHead)
	for _, s := range config.Settings() {
		is := slices.Contains(counted, s.Path)
		if !is && !strings.HasPrefix(s.Path, "limits.") && !slices.Contains(alsoLimits, s.Path) {
			continue
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s | %s |\n", s.Path, s.Default, s.Doc, advertised[s.Path], yes(is), yes(s.Reload))
	}
	return b.String()
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return ""
}
