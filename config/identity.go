package config

import (
	"crypto/x509"
	"encoding/pem"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Own is the name of the back end that is the keys of the accounts.
const Own = "own"

// Backend is what all back ends of passwords and tokens have.
type Backend struct {
	Name    string   `toml:"name" doc:"Its name in login.backends. Empty: that of the section. Accounts are bound to it: a new name is a new back end."`
	Hosts   []string `toml:"hosts" doc:"The served hosts whose accounts it checks. Empty: all."`
	Timeout Duration `toml:"timeout" doc:"How long one question may take; then the login fails for the moment. 0: 5 seconds."`
}

// LDAP is one [[ldap]].
type LDAP struct {
	Backend
	URL          string `toml:"url" doc:"The directory, such as ldaps://ldap.example.org. With ldap:// StartTLS is used."`
	CA           string `toml:"ca" file:"yes" doc:"PEM file of the certificates that may sign the directory's. Empty: those of this machine."`
	Plain        bool   `toml:"without_tls" doc:"Whether passwords go to an ldap:// directory without StartTLS. For a directory on this machine only."`
	BindDN       string `toml:"bind_dn" doc:"Whom to log in as for searches. Empty: nobody."`
	Password     string `toml:"password" secret:"yes" doc:"The password of bind_dn."`
	PasswordFile string `toml:"password_file" file:"secret" doc:"File that holds the password instead."`
	Base         string `toml:"base" doc:"Where in the directory people are searched for, such as ou=people,dc=example,dc=org."`
	Filter       string `toml:"filter" doc:"Who may log in; %s is the user name. Empty: (uid=%s). For Active Directory: (sAMAccountName=%s)."`
	ID           string `toml:"id" doc:"The attribute by which a person is known whatever their name. Empty: entryUUID. For Active Directory: objectGUID. dn: the entry's name."`
	Find         bool   `toml:"find" doc:"Whether people of the directory can be written to before they have logged in for the first time: whoever writes to a name without an account causes a search, and the account is made if there is such a person."`
	Cards
	Connections int `toml:"connections" doc:"Connections to the directory, for as many logins at the same time; further ones wait. 0: 8."`
}

// Cards are the settings of vCards that are made of a directory's entries.
type Cards struct {
	VCard       string   `toml:"vcard" doc:"Whose vCard is shown of a person of the directory: 'own', what the person has stored here, and only where there is nothing that of the directory; 'directory', that of the directory. Empty: the directory is not asked."`
	VCardFields []string `toml:"vcard_fields" doc:"Which attributes become what in it, such as [\"FN=displayName\", \"TEL.WORK=telephoneNumber\"]: FN, NICKNAME, TITLE, ROLE, URL, DESC, EMAIL, N with .GIVEN, .FAMILY or .MIDDLE, ORG with .ORGNAME or .ORGUNIT, TEL with .WORK, .HOME, .CELL or .FAX, ADR with .STREET, .LOCALITY, .REGION, .PCODE or .CTRY, and PHOTO. Of several for one property the first counts that the entry has. Empty: names, mail, telephoneNumber, mobile, title, o, ou, l and jpegPhoto."`
	VCardPublic bool     `toml:"vcard_public" doc:"Whether anybody may read these vCards, also from other servers. Otherwise only the accounts of the same host may."`
	VCardCache  Duration `toml:"vcard_cache" doc:"For how long an entry is not read again. 0: 15 minutes."`
	VCardBytes  int64    `toml:"-"` // limits.vcard_bytes
}

// Values of Cards.VCard.
const (
	VCardOwn       = "own"
	VCardDirectory = "directory"
)

// defaultFields are what a directory with the schemas of RFC 4519 and RFC 2798 has.
var defaultFields = []string{
	"FN=displayName", "FN=cn", "N.GIVEN=givenName", "N.FAMILY=sn", "EMAIL=mail", "TEL.WORK=telephoneNumber", "TEL.CELL=mobile",
	"TITLE=title", "ORG.ORGNAME=o", "ORG.ORGUNIT=ou", "ADR.LOCALITY=l", "PHOTO=jpegPhoto",
}

// vCardField is one of Cards.VCardFields.
var vCardField = regexp.MustCompile(`^(FN|NICKNAME|TITLE|ROLE|URL|DESC|EMAIL|PHOTO|N\.(GIVEN|FAMILY|MIDDLE)|ORG\.(ORGNAME|ORGUNIT)|TEL\.(WORK|HOME|CELL|FAX)|` +
	`ADR\.(STREET|LOCALITY|REGION|PCODE|CTRY))=[A-Za-z][A-Za-z0-9-]*$`)

const (
	defaultCardCache = Duration(15 * time.Minute)
	maxCardCache     = Duration(24 * time.Hour)
	maxFields        = 100
)

// HTTPCheck is one [[http_check]].
type HTTPCheck struct {
	Backend
	URL        string `toml:"url" doc:"Where questions are sent, such as https://accounts.example.org/xmpp."`
	CA         string `toml:"ca" file:"yes" doc:"PEM file of the certificates that may sign the service's. Empty: those of this machine."`
	Secret     string `toml:"secret" secret:"yes" doc:"The secret by which the service knows this server: it is sent as Authorization: Bearer."`
	SecretFile string `toml:"secret_file" file:"secret" doc:"File that holds the secret instead."`
	Find       bool   `toml:"find" doc:"Whether the service is also asked for names without an account to which somebody writes."`
}

// Claims are the settings of back ends that read tokens.
type Claims struct {
	Issuer      string   `toml:"issuer" doc:"Who must have issued a token."`
	Audiences   []string `toml:"audiences" doc:"For whom a token must be: one of these."`
	Claim       string   `toml:"claim" doc:"The claim that becomes the user name of a new account. Empty: preferred_username of a provider, sub of other tokens."`
	StripDomain string   `toml:"strip_domain" doc:"The domain that is taken off the end of a claim such as ann@example.org. Empty: the @ is escaped, as \\40."`
	Reserved    bool     `toml:"reserved_names" doc:"Whether a person whose claim is a reserved name, or the name of an administrator, gets an account of that name. Not if people choose the claim themselves."`
	End         bool     `toml:"end_sessions" doc:"Whether sessions end when the token does with which they began."`
}

// JWT is one [[jwt]].
type JWT struct {
	Backend
	Claims
	Secret     string `toml:"secret" secret:"yes" doc:"The secret of HS256 tokens, 32 bytes at least."`
	SecretFile string `toml:"secret_file" file:"secret" doc:"File that holds the secret instead."`
	Keys       string `toml:"keys" file:"yes" doc:"File with the public keys of RS256 and ES256 tokens, in PEM form or as a JWK set. It is read again when it has changed."`
}

// OIDC is one [[oidc]].
type OIDC struct {
	Backend
	Claims
	Introspection
	CA    string `toml:"ca" file:"yes" doc:"PEM file of the certificates that may sign the provider's. Empty: those of this machine."`
	Scope string `toml:"scope" doc:"A scope that a token must have, such as xmpp:client:normal. Empty: none."`
}

// Introspection are the settings by which a provider is asked about access tokens (RFC 7662).
type Introspection struct {
	Client     string   `toml:"client_id" doc:"As whom this server asks the provider about access tokens (RFC 7662). Empty: it does not ask, and access tokens must be JSON Web Tokens."`
	Secret     string   `toml:"client_secret" secret:"yes" doc:"The secret of client_id."`
	SecretFile string   `toml:"client_secret_file" file:"secret" doc:"File that holds the secret instead."`
	Introspect string   `toml:"introspect" doc:"About which tokens the provider is asked: 'opaque' for those that are not JSON Web Tokens; 'all' for every one, so that a JSON Web Token that was revoked is noticed; ID tokens are refused then. Empty: opaque."`
	Cache      Duration `toml:"introspection_cache" doc:"For how long the provider's answer about a token is used again, 5 minutes at most. 0: 10 seconds."`
	Recheck    Duration `toml:"recheck" doc:"How often the provider is asked again about the token of a session, which ends if the token was revoked. 0: 5 minutes."`
}

// Values of Introspection.Introspect.
const (
	IntrospectOpaque = "opaque"
	IntrospectAll    = "all"
)

// Defaults of back ends.
const (
	defaultCache       = Duration(10 * time.Second)
	maxCache           = Duration(5 * time.Minute)
	defaultRecheck     = Duration(5 * time.Minute)
	minRecheck         = Duration(time.Second)
	defaultTimeout     = Duration(5 * time.Second)
	defaultConnections = 8
	maxTimeout         = Duration(30 * time.Second)
	maxConnections     = 256
	minTokenSecret     = 32 // RFC 7518 §3.2
)

// completeBackends sets the settings of back ends that are left out.
func (c *Config) completeBackends() {
	complete := func(b *Backend, section string) {
		if b.Name == "" {
			b.Name = section
		}
		if b.Timeout == 0 {
			b.Timeout = defaultTimeout
		}
	}
	orElse := func(s *string, other string) {
		if *s == "" {
			*s = other
		}
	}
	for i := range c.LDAP {
		l := &c.LDAP[i]
		complete(&l.Backend, "ldap")
		orElse(&l.Filter, "(uid=%s)")
		orElse(&l.ID, "entryUUID")
		if l.Connections == 0 {
			l.Connections = defaultConnections
		}
		if len(l.VCardFields) == 0 {
			l.VCardFields = defaultFields
		}
		if l.VCardCache == 0 {
			l.VCardCache = defaultCardCache
		}
		l.VCardBytes = int64(c.Limits.VCardBytes)
	}
	for i := range c.HTTPChecks {
		complete(&c.HTTPChecks[i].Backend, "http_check")
	}
	for i := range c.JWT {
		complete(&c.JWT[i].Backend, "jwt")
		orElse(&c.JWT[i].Claim, "sub")
	}
	for i := range c.OIDC {
		complete(&c.OIDC[i].Backend, "oidc")
		orElse(&c.OIDC[i].Claim, "preferred_username")
		c.OIDC[i].Introspection.complete()
	}
}

// eachBackend visits the configured back ends, with their paths.
func (c *Config) eachBackend(visit func(path string, b *Backend)) {
	for i := range c.LDAP {
		visit("ldap["+strconv.Itoa(i)+"]", &c.LDAP[i].Backend)
	}
	for i := range c.HTTPChecks {
		visit("http_check["+strconv.Itoa(i)+"]", &c.HTTPChecks[i].Backend)
	}
	for i := range c.JWT {
		visit("jwt["+strconv.Itoa(i)+"]", &c.JWT[i].Backend)
	}
	for i := range c.OIDC {
		visit("oidc["+strconv.Itoa(i)+"]", &c.OIDC[i].Backend)
	}
}

// Backends returns the names of the back ends of a host, in the order in which they are asked.
func (c *Config) Backends(host string) []string {
	all := []string{Own}
	of := map[string]bool{Own: true}
	c.eachBackend(func(_ string, b *Backend) {
		all = append(all, b.Name)
		of[b.Name] = len(b.Hosts) == 0 || slices.Contains(b.Hosts, host)
	})
	if len(c.Login.Backends) > 0 {
		all = slices.Clone(c.Login.Backends)
	}
	return slices.DeleteFunc(all, func(name string) bool { return !of[name] })
}

func (c *Config) validateBackends(p *Problems) {
	seen := map[string]string{Own: "the keys of the accounts"}
	c.eachBackend(func(path string, b *Backend) {
		if other, ok := seen[b.Name]; ok {
			p.add(path+".name", "%q is used already by %s", b.Name, other)
		}
		seen[b.Name] = path
		for _, h := range b.Hosts {
			if !slices.Contains(c.Server.Hosts, h) {
				p.add(path+".hosts", "%q is not a served host", h)
			}
		}
		if b.Timeout > maxTimeout || b.Timeout < 0 {
			p.add(path+".timeout", "%s is more than %s", b.Timeout, maxTimeout)
		}
		if len(c.Login.Backends) > 0 && !slices.Contains(c.Login.Backends, b.Name) {
			p.add("login.backends", "does not name %q of %s, which nobody could use", b.Name, path)
		}
	})
	for i, name := range c.Login.Backends {
		if seen[name] == "" {
			p.add("login.backends", "%q is neither %s nor the name of a back end", name, Own)
		}
		if slices.Contains(c.Login.Backends[:i], name) {
			p.add("login.backends", "%q is named twice", name)
		}
	}
	for _, h := range c.Server.Hosts {
		if names := c.Backends(h); len(names) == 0 {
			p.add("login.backends", "nobody could log in to %s: no back end is for it", h)
		} else if c.Server.Register && !slices.Contains(names, Own) {
			p.add("server.register", "%s has no accounts of its own: login.backends leaves %s out", h, Own)
		}
	}
	for i := range c.LDAP {
		c.LDAP[i].validate(p, "ldap["+strconv.Itoa(i)+"]")
	}
	for i := range c.HTTPChecks {
		c.HTTPChecks[i].validate(p, "http_check["+strconv.Itoa(i)+"]")
	}
	for i := range c.JWT {
		c.JWT[i].validate(p, "jwt["+strconv.Itoa(i)+"]")
	}
	for i := range c.OIDC {
		c.OIDC[i].validate(p, "oidc["+strconv.Itoa(i)+"]")
	}
}

func (l *LDAP) validate(p *Problems, path string) {
	u, err := url.Parse(l.URL)
	switch {
	case err != nil || u.Scheme != "ldap" && u.Scheme != "ldaps" || u.Hostname() == "":
		p.add(path+".url", "%q is not a URL such as ldaps://ldap.example.org", l.URL)
	case u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "":
		p.add(path+".url", "only the directory's address is wanted: bind_dn, base and filter are settings of their own")
	case l.Plain && u.Scheme == "ldaps":
		p.add(path+".without_tls", "ldaps:// is TLS")
	case l.Plain && !loopback(u.Hostname()):
		p.add(path+".without_tls", "passwords would go through the network in clear: this is for a directory on this machine only")
	}
	if !strings.Contains(l.Filter, "%s") || strings.Count(l.Filter, "(") != strings.Count(l.Filter, ")") || !strings.HasPrefix(l.Filter, "(") || !strings.HasSuffix(l.Filter, ")") {
		p.add(path+".filter", "%q is not a filter such as (uid=%%s)", l.Filter)
	}
	if (l.BindDN == "") != (l.Password == "") {
		p.add(path+".bind_dn", "bind_dn and password go together")
	}
	if l.Connections < 1 || l.Connections > maxConnections {
		p.add(path+".connections", "%d is not between 1 and %d", l.Connections, maxConnections)
	}
	certificates(p, path+".ca", l.CA)
	l.Cards.validate(p, path)
}

func (c *Cards) validate(p *Problems, path string) {
	if c.VCard != "" && c.VCard != VCardOwn && c.VCard != VCardDirectory {
		p.add(path+".vcard", "%q is neither %s nor %s", c.VCard, VCardOwn, VCardDirectory)
	}
	for _, f := range c.VCardFields {
		if !vCardField.MatchString(f) {
			p.add(path+".vcard_fields", "%q is not a property of a vCard and an attribute, such as TEL.WORK=telephoneNumber", f)
		}
	}
	if len(c.VCardFields) > maxFields {
		p.add(path+".vcard_fields", "%d are more than %d", len(c.VCardFields), maxFields)
	}
	if c.VCardCache < 0 || c.VCardCache > maxCardCache {
		p.add(path+".vcard_cache", "%s is more than %s", c.VCardCache, maxCardCache)
	}
}

func (h *HTTPCheck) validate(p *Problems, path string) {
	if err := CheckBaseURL(h.URL); err != nil {
		p.add(path+".url", "%v", err)
	}
	if h.Secret == "" {
		p.add(path+".secret", "the service needs a secret by which it knows this server")
	} else if strings.ContainsFunc(h.Secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		p.add(path+".secret", "only ASCII characters without spaces can be sent") // without the value
	}
	certificates(p, path+".ca", h.CA)
}

func (c *Claims) validate(p *Problems, path string) {
	if c.Issuer == "" {
		p.add(path+".issuer", "name who issues the tokens")
	}
	if len(c.Audiences) == 0 || slices.Contains(c.Audiences, "") {
		p.add(path+".audiences", "name for whom tokens are: those for other services would be accepted")
	}
	if c.StripDomain != "" {
		domain(p, path+".strip_domain", c.StripDomain)
	}
}

func (j *JWT) validate(p *Problems, path string) {
	j.Claims.validate(p, path)
	switch {
	case (j.Secret == "") == (j.Keys == ""):
		p.add(path+".keys", "give either keys or a secret")
	case j.Secret != "" && len(j.Secret) < minTokenSecret:
		p.add(path+".secret", "%d bytes are too few for HS256: %d at least", len(j.Secret), minTokenSecret)
	case j.Keys != "":
		if _, err := os.Stat(j.Keys); err != nil {
			p.add(path+".keys", "%v", err)
		}
	}
}

func (o *OIDC) validate(p *Problems, path string) {
	o.Claims.validate(p, path)
	if o.Issuer != "" {
		if err := CheckBaseURL(o.Issuer); err != nil {
			p.add(path+".issuer", "%v", err)
		}
	}
	if strings.ContainsAny(o.Scope, " \"\\") {
		p.add(path+".scope", "%q is not one scope", o.Scope) // RFC 6749 §3.3
	}
	o.Introspection.validate(p, path)
	certificates(p, path+".ca", o.CA)
}

func (i *Introspection) complete() {
	if i.Introspect == "" {
		i.Introspect = IntrospectOpaque
	}
	if i.Cache == 0 {
		i.Cache = defaultCache
	}
	if i.Recheck == 0 {
		i.Recheck = defaultRecheck
	}
}

func (i *Introspection) validate(p *Problems, path string) {
	if (i.Client == "") != (i.Secret == "") {
		p.add(path+".client_id", "client_id and client_secret go together")
	}
	switch {
	case i.Introspect != IntrospectOpaque && i.Introspect != IntrospectAll:
		p.add(path+".introspect", "%q is neither %s nor %s", i.Introspect, IntrospectOpaque, IntrospectAll)
	case i.Introspect == IntrospectAll && i.Client == "":
		p.add(path+".introspect", "the provider is asked only with a client_id")
	}
	if i.Cache < 0 || i.Cache > maxCache {
		p.add(path+".introspection_cache", "%s is more than %s", i.Cache, maxCache)
	}
	if i.Recheck < minRecheck {
		p.add(path+".recheck", "%s is less than %s", i.Recheck, minRecheck)
	}
}

// revocationLists checks a file with lists of revoked certificates.
func revocationLists(p *Problems, path, file string) {
	der, err := os.ReadFile(file)
	if err != nil {
		p.add(path, "%v", err)
		return
	}
	if block, _ := pem.Decode(der); block != nil {
		der = block.Bytes
	}
	if _, err := x509.ParseRevocationList(der); err != nil {
		p.add(path, "%s has no certificate revocation list in PEM or DER form", file)
	}
}

// certificates checks a file with certificates of authorities; "" is none.
func certificates(p *Problems, path, file string) {
	if file == "" {
		return
	}
	text, err := os.ReadFile(file)
	if err != nil {
		p.add(path, "%v", err)
	} else if !x509.NewCertPool().AppendCertsFromPEM(text) {
		p.add(path, "%s has no certificate in PEM form", file)
	}
}
