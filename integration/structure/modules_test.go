package structure

import (
	"path"
	"strings"
	"testing"
)

// moduleUses says which packages import which modules of others outside of their tests, as patterns of path.Match.
var moduleUses = map[string][]string{
	"github.com/BurntSushi/toml":               {"config"},
	"github.com/go-asn1-ber/asn1-ber":          {"core/identity/ldap"},
	"golang.org/x/sync/singleflight":           {"core/identity/oidc"},
	"golang.org/x/crypto/cryptobyte":           {"core/s2s/certificate"},
	"golang.org/x/net/idna":                    {"core/s2s/certificate"},
	"golang.org/x/time/rate":                   {"core/channelsearch", "core/identity", "core/s2s"},
	"github.com/coreos/go-oidc/v3":             {"core/identity/oidc"},
	"github.com/go-jose/go-jose/v4":            {"core/identity/claims", "core/identity/jwt", "core/identity/oidc", "core/identity/identitytest"},
	"github.com/zitadel/oidc/v3":               {"core/identity/identitytest"},
	"github.com/go-ldap/ldap/v3":               {"core/identity/ldap"},
	"github.com/google/uuid":                   {"core/stanza"},
	"github.com/jackc/pgx/v5":                  {"core/store", "core/store/exclusive", "core/store/pipeline", "core/store/postgres", "core/store/sqlerror", "core/store/storetest"},
	"github.com/miekg/dns":                     {"core/s2s/locate", "core/s2s/dnstest"},
	"github.com/mattn/go-sqlite3":              {"core/store", "core/store/sqlerror", "core/store/storetest"},
	"github.com/minio/minio-go/v7":             {"core/blob/s3"},
	"github.com/pressly/goose/v3":              {"core/store"},
	"github.com/spf13/cobra":                   {"cmd/*", "cmd/dragoman/demo"},
	"github.com/xdg-go/scram":                  {"cmd/xmppbench"},
	"golang.org/x/crypto":                      {"transports/bridge", "transports/bridge/*"},
	"golang.org/x/net":                         {"core/socket", "transports/richtext"},
	"golang.org/x/sync":                        {"core/router"},
	"golang.org/x/term":                        {"cmd/cli", "cmd/dragoman/demo"},
	"golang.org/x/text":                        {"core/nick", "core/search", "core/sasl", "core/features/search", "transports/bridge/puppets", "cmd/dragoman", "cmd/dragoman/demo"},
	"golang.org/x/time":                        {"core/bytestreams", "core/stream", "core/component", "core/features/register", "core/features/search", "core/features/messagesearch", "transports/bridge", "transports/bridge/*", "transports/slack", "transports/discord", "transports/discord/rest", "cmd/dragoman", "cmd/dragoman/demo"},
	"mellium.im/sasl":                          {"cmd/dragoman", "cmd/dragoman/demo", "integration/client"},
	"mellium.im/xmlstream":                     {"cmd/dragoman", "cmd/dragoman/demo"},
	"mellium.im/xmpp":                          {"core/jid", "cmd/dragoman", "cmd/dragoman/demo"},
	"github.com/bwmarrin/discordgo":            {"transports/discord", "transports/discord/content", "transports/discord/objects"},
	"github.com/coder/websocket":               {"transports/discord", "transports/discord/fake", "integration/mattermost"},
	"github.com/gorilla/websocket":             {"transports/slack", "transports/slack/fake"},
	"github.com/kyokomi/emoji/v2":              {"transports/richtext"},
	"github.com/santhosh-tekuri/jsonschema/v6": {"transports/*/fake/*"},
	"github.com/slack-go/slack":                {"transports/slack"},
}

// TestModuleUses checks that code of others is imported only where moduleUses says so.
func TestModuleUses(t *testing.T) {
	t.Parallel()
	for _, p := range listPackages(t) {
		for _, i := range p.Imports {
			first, _, _ := strings.Cut(i, "/")
			if !strings.Contains(first, ".") || strings.HasPrefix(i, module) {
				continue // the standard library, and ours
			}
			if !moduleGranted(p.name(), i) {
				t.Errorf("%s imports %s, which moduleUses does not allow", p.name(), i)
			}
		}
	}
}

func moduleGranted(pkg, imported string) bool {
	for m, users := range moduleUses {
		if imported != m && !strings.HasPrefix(imported, m+"/") {
			continue
		}
		for _, u := range users {
			if ok, err := path.Match(u, pkg); ok && err == nil {
				return true
			}
		}
	}
	return false
}
