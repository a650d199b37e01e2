package structure

import (
	"path"
	"strings"
	"testing"
)

// importRule says which packages of the module the packages that fit a pattern of path.Match may import.
// The first rule that fits a package counts. A package that fits no rule is an error.
type importRule struct {
	packages string
	may      []string
}

var (
	addresses   = []string{"core/jid", "core/stanza", "core/message", "core/spec"}
	engines     = []string{"core/notification", "core/form", "core/command", "core/disco", "core/paging", "core/pubsub", "core/vcard4", "core/room", "core/room/affiliations", "core/room/hats", "core/room/history", "core/room/muc", "core/room/occupants", "core/room/rules", "core/rooms", "core/archive", "core/search", "core/channelsearch"}
	connections = join(addresses, "core/socket", "core/outbound", "core/stream", "core/sasl", "core/router")
)

// importRules is the import law: cmd → transports → core → config. Tests of a package follow importRulesOfTests.
var importRules = []importRule{
	{"core", nil},                    // its doc.go
	{"core/internal/rawstream", nil}, // for tests only
	{"core/internal/boshpeer", nil},  // for tests only
	{"core/internal/socketpair", []string{"core/internal/rawstream", "core/socket"}}, // for tests only
	{"core/jid", nil},
	{"core/stanza", []string{"core/jid"}},
	{"core/message", []string{"core/jid", "core/stanza", "core/spec"}},
	{"core/spec", nil},
	{"core/nick", []string{"core/jid"}},
	{"core/mailbox", nil},
	{"core/fairqueue", nil},
	{"core/sasl", addresses},
	{"core/identity", join(addresses, "core/sasl")},
	{"core/identity/claims", join(addresses, "core/sasl", "core/identity", "config")},
	{"core/identity/identitytest", nil},                                                                  // for tests
	{"core/identity/*", join(addresses, "core/sasl", "core/identity", "core/identity/claims", "config")}, // config for rows of settings
	{"core/keyfile", nil},
	{"core/socket", []string{"core/keyfile"}},
	{"core/peerlimit", nil},
	{"core/unacked", addresses},
	{"core/outbound", join(addresses, "core/unacked")},
	{"core/stream/names", nil},
	{"core/stream/entities", nil},
	{"core/stream/version", nil},
	{"core/stream", join(addresses, "core/outbound", "core/unacked", "core/stream/names", "core/stream/entities", "core/stream/version")},
	{"core/resumption", join(addresses, "core/archive")},
	{"core/bytestreams", []string{"core/jid", "core/peerlimit", "core/stream"}},
	{"core/router", join(addresses, "core/mailbox", "core/command", "core/disco", "core/form", "core/paging")},
	{"core/c2s", join(connections, "core/peerlimit", "core/resumption", "core/unacked")},
	{"core/s2s", join(connections, "core/peerlimit", "core/resumption", "core/s2s/certificate", "core/s2s/dialback", "core/s2s/outbox", "core/unacked")},
	{"core/s2s/certificate", nil},
	{"core/s2s/dialback", []string{"core/jid", "core/stanza", "core/stream"}},
	{"core/s2s/dnstest", nil}, // for tests
	{"core/s2s/outbox", join(addresses, "core/message", "core/router", "core/unacked")},
	{"core/s2s/locate", []string{"core/s2s", "core/s2s/certificate", "core/spec"}},
	{"core/federation", join(addresses, "config", "core/admin", "core/identity/revoked", "core/router", "core/s2s", "core/s2s/certificate", "core/s2s/locate", "core/s2s/outbox", "core/stream")},
	{"core/component", join(connections, "config", "core/admin", "core/peerlimit")},
	{"core/websocket", join(connections, "core/c2s")},
	{"core/bosh", join(connections, "core/stream/version")},
	{"core/web", join(connections, "core/c2s", "core/websocket", "core/bosh", "core/peerlimit")},
	{"core/web/hostmeta", []string{"core/spec", "core/web"}},
	{"core/web/chat", []string{"core/web"}},
	{"core/web/chat/pack", nil}, // for go generate
	{"core/blob", nil},
	{"core/blob/s3", []string{"core/blob"}},
	{"core/cluster", join(addresses, "core/router")},
	{"core/form", join(engines, addresses...)},
	{"core/command", join(engines, addresses...)},
	{"core/disco", join(engines, addresses...)},
	{"core/paging", join(engines, addresses...)},
	{"core/pubsub", join(join(engines, addresses...), "core/mailbox")},
	{"core/search", nil},
	{"core/channelsearch", join(addresses, "core/form", "core/paging")},
	{"core/vcard4", []string{"core/jid", "core/stanza"}},
	{"core/archive", join(engines, addresses...)},
	{"core/room", join(join(engines, addresses...), "core/nick", "core/room/conceal", "core/room/visits")},
	{"core/room/rules", join(addresses, "core/form")},
	{"core/room/hats", join(addresses, "core/command", "core/form")},
	{"core/room/visits", []string{"core/jid", "core/room/rules"}},
	{"core/room/history", addresses},
	{"core/room/conceal", addresses},
	{"core/room/muc", addresses},
	{"core/room/affiliations", join(addresses, "core/nick", "core/room/rules")},
	{"core/room/occupants", join(addresses, "core/nick", "core/room/hats", "core/room/muc", "core/room/rules")},
	{"core/rooms", join(join(engines, addresses...), "core/mailbox")},
	{"core/admin", join(addresses, "core/router", "core/sasl")},
	{"core/notification", join(addresses, "core/form", "core/mailbox")},
	{"core/features/proxy", join(join(engines, addresses...), "core/router", "core/bytestreams")},
	{"core/features/anonymous", join(join(engines, addresses...), "core/router", "core/peerlimit")},
	{"core/features/register", join(join(engines, addresses...), "core/admin", "core/router", "core/peerlimit")},
	{"core/features/invite", join(join(engines, addresses...), "core/admin", "core/router", "core/web", "core/peerlimit")},
	{"core/features/upload", join(join(engines, addresses...), "core/router", "core/web", "core/blob")},
	{"core/features/conference", join(join(engines, addresses...), "core/router", "core/admin", "core/fairqueue", "config")},
	{"core/features/*", join(join(engines, addresses...), "core/router", "core/admin", "config")}, // config for rows of settings
	// The store implements the small interfaces that features declare, with their row types.
	{"core/store", join(join(engines, addresses...), "core/features/*", "core/sasl", "core/router", "core/store/archives", "core/store/wordindex", "core/store/pipeline", "core/store/postgres", "core/store/scan", "core/store/schema", "core/store/deletions", "core/store/clock", "core/store/sqlerror")},
	{"core/store/transfer", []string{"core/store"}},
	{"core/store/resumable", join(addresses, "core/archive", "core/resumption", "core/store", "core/store/scan")},
	{"core/portable", join(join(engines, addresses...), "core/features/*", "core/sasl", "core/store", "core/store/moderation", "core/store/nodes")},
	{"core/store/archives", join(join(engines, addresses...), "core/store/scan", "core/store/wordindex")},
	{"core/store/indexing", []string{"core/store/archives", "core/store/scan", "core/store/wordindex"}},
	{"core/store/wordindex", []string{"core/search", "core/store/scan"}},
	{"core/store/clock", nil},
	{"core/store/pipeline", nil},
	{"core/store/sqlerror", []string{"core/store/postgres"}},
	{"core/store/postgres", nil},
	{"core/store/exclusive", []string{"core/store/postgres"}},
	{"core/store/administration", join(addresses, "core/admin", "core/sasl", "core/store", "core/store/scan")},
	{"core/store/moderation", join(addresses, "core/archive", "core/features/abuse", "core/features/blocking", "core/features/rtbl", "core/store", "core/store/scan")},
	{"core/store/retention", join(addresses, "core/archive", "core/store", "core/store/archives", "core/store/scan")},
	{"core/store/directory", join(addresses, "core/features/search", "core/store", "core/store/scan")},
	{"core/store/nodes", join(join(engines, addresses...), "core/store", "core/store/scan")},
	{"core/store/authentication", join(addresses, "core/sasl", "core/identity", "core/features/clients", "core/store", "core/store/scan")},
	{"core/store/rooms", join(join(engines, addresses...), "core/features/conference", "core/room/visits", "core/store", "core/store/indexing", "core/store/scan", "core/store/wordindex")},
	{"core/store/uploads", join(addresses, "core/features/upload", "core/store", "core/store/scan")},
	{"core/store/outbox", join(addresses, "core/store", "core/store/scan")},
	{"core/store/pushes", join(addresses, "core/features/push", "core/notification", "core/store", "core/store/scan")},
	{"core/store/scan", nil},
	{"core/store/schema", nil},
	{"core/store/deletions", nil},
	{"core/store/storetest", []string{"core/archive"}}, // for tests
	{"core/server/featuretest", nil},                   // tests only
	{"core/database", []string{"config", "core/keyfile", "core/store", "core/store/exclusive"}},
	{"core/accounts", join(addresses, "config", "core/admin", "core/archive", "core/database", "core/features/invite", "core/portable", "core/pubsub", "core/router", "core/sasl", "core/store", "core/store/administration", "core/store/exclusive", "core/store/retention")},
	{"core/server", []string{"config", "core/*", "core/s2s/locate", "core/features/*", "core/identity/*", "core/web/*", "core/store/administration", "core/store/archives", "core/store/authentication", "core/store/directory", "core/store/exclusive", "core/store/indexing", "core/store/moderation", "core/store/nodes", "core/store/outbox", "core/store/resumable", "core/blob/s3", "core/store/uploads", "core/store/pushes", "core/store/retention", "core/store/rooms"}},

	{"transports/richtext", nil},
	{"transports/lenientjson", nil},
	{"transports", []string{"transports/richtext"}},
	{"transports/recorder", []string{"transports"}},
	{"transports/bridge", join(join(engines, addresses...), "core/mailbox", "core/store", "core/router", "transports", "transports/richtext", "transports/bridge/*")},
	{"transports/bridge/media", join(addresses, "core/blob", "core/peerlimit", "core/router", "core/web", "transports", "transports/bridge/*")},
	{"transports/bridge/*", join(join(engines, addresses...), "core/fairqueue", "core/keyfile", "core/mailbox", "core/nick", "core/store", "core/store/pipeline", "core/store/scan", "core/store/wordindex", "transports", "transports/richtext", "transports/bridge/*")},
	{"transports/all", []string{"transports", "transports/*"}},
	// transports/gateways joins the bridge to a server or to the links of components.
	{"transports/gateways", []string{"config", "core/*", "core/store/transfer", "core/store/exclusive", "transports", "transports/*", "transports/bridge/*"}},
	{"transports/discord", []string{"config", "transports", "transports/richtext", "transports/lenientjson", "transports/discord/content", "transports/discord/objects", "transports/discord/rest", "transports/discord/state"}},
	{"transports/discord/content", []string{"transports", "transports/richtext", "transports/lenientjson", "transports/discord/objects", "transports/discord/state"}},
	{"transports/discord/objects", nil},
	{"transports/discord/state", []string{"transports", "transports/richtext", "transports/discord/objects"}},
	{"transports/discord/rest", []string{"transports", "transports/lenientjson"}},
	{"transports/slack", []string{"config", "transports", "transports/richtext", "transports/lenientjson", "transports/slack/content", "transports/slack/webapi"}},
	{"transports/slack/content", []string{"transports", "transports/richtext", "transports/lenientjson"}},
	{"transports/slack/webapi", []string{"transports/lenientjson"}},
	{"transports/*", []string{"config", "transports", "transports/richtext", "transports/lenientjson"}}, // one network
	// A fake server shares no code with the transport that it tests.
	{"transports/*/fake", []string{"transports/*/fake/*"}},
	{"transports/*/fake/*", []string{"transports/*/fake", "transports/*/fake/*"}},

	{"config", nil},
	{"cmd/cli", []string{"config", "core/accounts", "core/server", "transports", "transports/gateways"}},
	{"cmd/dragoman", []string{"transports/all", "cmd/cli", "cmd/dragoman/demo"}},
	{"cmd/dragoman/demo", []string{"config", "core/accounts", "core/server", "transports/all", "transports/gateways", "transports/slack/fake", "transports/discord/fake"}},
	{"cmd/docs", []string{"config", "core/admin", "core/server", "core/spec", "transports/bridge"}},
	{"cmd/*", []string{"config"}},

	{"integration", []string{"config", "core/s2s/dnstest", "core/identity/identitytest", "core/store/storetest", "integration/*", "transports/*/fake", "transports/*/fake/*"}},
	{"integration/*", []string{"config", "core/s2s/dnstest", "core/store/storetest", "integration/*", "transports/*/fake", "transports/*/fake/*"}},
}

// bridgeOrder is the order of the packages of the bridge: each may import those before it.
var bridgeOrder = []string{
	"transports/bridge/gateway", "transports/bridge/tables", "transports/bridge/convert", "transports/bridge/delivery",
	"transports/bridge/logins", "transports/bridge/puppets", "transports/bridge/conversation", "transports/bridge/rooms",
	"transports/bridge/media", "transports/bridge/outbox", "transports/bridge/links", "transports/bridge/inbox", "transports/bridge/commands",
}

func join(a []string, b ...string) []string { return append(append([]string(nil), a...), b...) }

func TestImportDirections(t *testing.T) {
	t.Parallel()
	allowed := readExceptions(t, "import")
	for _, p := range listPackages(t) {
		imports := p.Imports
		if strings.HasPrefix(p.name(), "integration") { // it consists of tests
			imports = join(imports, p.testImports()...)
		}
		for _, other := range forbiddenImports(p.name(), imports) {
			allowed.check(t, p.name()+" imports "+other, "the import law does not allow it")
		}
	}
	allowed.done(t)
}

// TestCoreTestsKnowNoTransports keeps the tests of the core free of what is above it.
func TestCoreTestsKnowNoTransports(t *testing.T) {
	t.Parallel()
	allowed := readExceptions(t, "test import")
	for _, p := range listPackages(t) {
		if !strings.HasPrefix(p.name(), "core") && p.name() != "config" {
			continue
		}
		for _, i := range p.testImports() {
			other, ours := strings.CutPrefix(i, module)
			if ours && !strings.HasPrefix(other, "core/") && other != "config" {
				allowed.check(t, p.name()+" imports "+other, "tests of the core import nothing above it")
			}
		}
	}
	allowed.done(t)
}

// forbiddenImports lists the imports of a package that no rule grants.
func forbiddenImports(pkg string, imports []string) []string {
	for _, r := range importRules {
		if !fits(r.packages, pkg) {
			continue
		}
		var found []string
		for _, i := range imports {
			other, ours := strings.CutPrefix(i, module)
			if ours && other != pkg && !granted(r.may, pkg, other) {
				found = append(found, other)
			}
		}
		return found
	}
	return []string{"anything, without an entry in importRules"}
}

func granted(may []string, pkg, other string) bool {
	for _, m := range may {
		// A network's fake server never imports another network's.
		if strings.HasPrefix(m, "transports/*/fake") && strings.HasPrefix(pkg, "transports/") &&
			strings.Split(pkg, "/")[1] != strings.Split(other, "/")[1] {
			continue
		}
		if fits(m, other) && downward(pkg, other) {
			return true
		}
	}
	return false
}

// downward reports whether an import between two packages of the bridge follows bridgeOrder.
func downward(pkg, other string) bool {
	if !strings.HasPrefix(pkg, "transports/bridge/") || !strings.HasPrefix(other, "transports/bridge/") {
		return true
	}
	for _, p := range bridgeOrder {
		switch p {
		case other:
			return true
		case pkg:
			return false
		}
	}
	return false
}

func fits(pattern, pkg string) bool {
	ok, err := path.Match(pattern, pkg)
	return ok && err == nil
}

// TestImportRulesCatch feeds the import rules with imports that they must refuse.
func TestImportRulesCatch(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"core/features/roster", "core/features/presence"},
		{"core/features/presence", "core/store"},
		{"core/features/vcard", "core/server"},
		{"core/jid", "core/stanza"},
		{"core/router", "core/stream"},
		{"core/c2s", "core/store"},
		{"core/server", "core/internal/rawstream"},
		{"core/server", "transports/bridge"},
		{"core/store", "transports"},
		{"transports/slack", "core/jid"},
		{"transports/discord", "transports/slack"},
		{"transports/echo", "transports/bridge"},
		{"transports/bridge", "core/server"},
		{"transports/bridge", "transports/slack"},
		{"transports/bridge/convert", "transports/bridge/rooms"},
		{"transports/bridge/inbox", "transports/bridge"},
		{"transports/slack/fake", "transports/slack"},
		{"transports/slack/fake/check", "transports/discord/fake"},
		{"config", "core/jid"},
		{"integration", "core/stanza"},
		{"integration/peers", "transports/slack"},
		{"cmd/dragoman", "transports/slack"},
		{"cmd/xmppbench", "transports/slack/fake"},
		{"core/helpers", "core/jid"},
	} {
		if len(forbiddenImports(c[0], []string{module + c[1]})) == 0 {
			t.Errorf("%s may import %s", c[0], c[1])
		}
	}
	if found := forbiddenImports("core/features/roster", []string{module + "core/router", "fmt"}); len(found) > 0 {
		t.Errorf("refused: %v", found)
	}
}
