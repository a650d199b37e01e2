package config

import "time"

// Config is the whole configuration.
type Config struct {
	Server      Server             `toml:"server" doc:"The XMPP server."`
	Listen      Listen             `toml:"listen" doc:"Where the server listens; an empty list switches a listener off."`
	Web         Web                `toml:"web" doc:"What is served over HTTP: uploaded files, and connections of clients."`
	Push        Push               `toml:"push" doc:"Notifications that wake clients on phones (XEP-0357)."`
	Media       Media              `toml:"media" doc:"Files of the networks."`
	Upload      Upload             `toml:"upload" doc:"Files that accounts upload to share them by their address (XEP-0363)."`
	TLS         TLS                `toml:"tls" doc:"Certificates. Without one, a self-signed certificate is made and kept in the data directory."`
	Login       Login              `toml:"login" doc:"Logging in."`
	Accounts    Accounts           `toml:"accounts" doc:"What becomes of accounts, and who may do what with them."`
	Anonymous   Anonymous          `toml:"anonymous" doc:"Clients without an account."`
	Store       Store              `toml:"store" doc:"Where the server keeps what has to survive a restart."`
	Limits      Limits             `toml:"limits" doc:"What one connection, account or address may take. Zero means no limit where that is said."`
	Pubsub      Pubsub             `toml:"pubsub" doc:"Publish-subscribe (XEP-0060): what accounts keep for themselves and their contacts, such as avatars and bookmarks, and the service of each host."`
	Rooms       Rooms              `toml:"rooms" doc:"Rooms for many people (XEP-0045), at a domain of each host."`
	Proxy       Proxy              `toml:"proxy" doc:"The proxy for files that clients send to each other (XEP-0065), where listen.proxy names an address."`
	Strangers   Strangers          `toml:"strangers" doc:"What accounts get from addresses that they do not know: those that are neither in their roster nor were written to. The numbers are in [limits]."`
	Log         Log                `toml:"log" doc:"Logging, to standard error."`
	Status      Status             `toml:"status" doc:"Where clients read why the server cannot be reached."`
	Federation  Federation         `toml:"federation" doc:"Communication with other servers (listen.s2s and listen.s2s_tls)."`
	Remotes     []FederationDomain `toml:"federation_domain" reload:"yes" doc:"Other servers for which section federation does not apply as a whole."`
	Components  []Component        `toml:"component" doc:"Other people's components (XEP-0114) that may attach to the server."`
	Services    []Service          `toml:"service" doc:"Services besides XMPP that clients may use, such as STUN and TURN servers for calls (XEP-0215)."`
	Retention   []Retention        `toml:"retention" reload:"yes" doc:"How long the archives of a host's accounts are kept. Accounts can choose a shorter time by the command 'How long messages are kept', and administrators can set any time for an account."`
	LinkedRooms []LinkedRoom       `toml:"linked_room" doc:"Rooms that are linked to channels of gateways: what is said in one is said in the other. Users link rooms by the gateway's command, too."`
	Groups      []Group            `toml:"shared_group" reload:"yes" doc:"Groups of accounts that are in each other's rosters, as if all of them had subscribed to each other. Clients cannot change these contacts."`
	LDAP        []LDAP             `toml:"ldap" doc:"Directories that check passwords (LDAP). Clients must send the password itself, over TLS: SCRAM is not offered."`
	HTTPChecks  []HTTPCheck        `toml:"http_check" doc:"Web services that check passwords."`
	JWT         []JWT              `toml:"jwt" doc:"Issuers of JSON Web Tokens that are used as passwords, or with OAUTHBEARER."`
	OIDC        []OIDC             `toml:"oidc" doc:"OpenID Connect providers, for single sign-on with OAUTHBEARER (XEP-0493)."`
	Foreign     Foreign            `toml:"foreign" doc:"For 'dragoman component': the server that the gateways attach to."`
	Gateway     Gateway            `toml:"gateway" doc:"What all gateways share."`

	// Sections are the sections of the networks that were passed to Load.
	Sections []Section `toml:"-"`
}

// Server is section [server].
type Server struct {
	Hosts     []string `toml:"hosts" doc:"The domains that are served; the first is the default."`
	Gone      []string `toml:"gone" doc:"Domains that were served once: clients that still come for them are told that they are gone, not that they are unknown."`
	Data      string   `toml:"data" file:"yes" doc:"Directory of the database, keys and the self-made certificate. It is made when absent."`
	Admins    []string `toml:"admins" doc:"Addresses (user@host) of administrators: they may do everything that the admin commands offer. 'dragoman account grant' gives that to an account at run time."`
	Contacts  []string `toml:"contacts" doc:"Addresses for complaints and questions, shown to others (XEP-0157), such as mailto:admin@example.org."`
	Register  bool     `toml:"register" doc:"Whether anybody may make an account from their client (XEP-0077)."`
	Reserved  []string `toml:"reserved" doc:"User names that nobody can register from their client, besides the addresses that this configuration names; the command line can create such an account."`
	Silent    bool     `toml:"hide_unknown" doc:"Whether messages to addresses without an account are dropped silently also when they come from this server: whoever mistypes an address is not told, and nobody can try which accounts exist."`
	Private   bool     `toml:"private_sessions" doc:"Whether requests to a session, such as for its software, are delivered only from those who may see its presence, also when they come from accounts and components of this server."`
	Directory string   `toml:"directory" doc:"First part of the domain of each host's user directory (XEP-0055), in which accounts can be found that have entered themselves: search.example.org, for example. Empty: there is none; nor is there one where a component or gateway has that domain."`
	Delegable []string `toml:"delegable" doc:"Namespaces of requests that accounts may let another address answer in place of the server, such as http://jabber.org/protocol/pubsub: when that address asks for it, the account is asked, and what it allows lasts as long as its session (XEP-0355, client mode). Empty: none."`
	Archive   Duration `toml:"archive" reload:"yes" doc:"How long messages stay in the archives that clients can search (XEP-0313). 0: for ever."`
	Shutdown  Duration `toml:"shutdown" doc:"How long a stop may take to tell the clients and write what is pending."`
}

// Listen is section [listen].
type Listen struct {
	C2S          []string `toml:"c2s" doc:"For clients, with STARTTLS."`
	C2STLS       []string `toml:"c2s_tls" doc:"For clients, with direct TLS (XEP-0368)."`
	S2S          []string `toml:"s2s" doc:"For other servers, with STARTTLS; see section federation."`
	S2STLS       []string `toml:"s2s_tls" doc:"For other servers, with direct TLS (XEP-0368)."`
	Proxy        []string `toml:"proxy" doc:"For the proxy of files that clients send to each other (XEP-0065), such as :7777. Off by default: it is of use only where clients elsewhere can reach the port, and uploads do without it."`
	Component    []string `toml:"component" doc:"For components (XEP-0114). The protocol has no encryption: keep it on this machine."`
	ComponentTLS []string `toml:"component_tls" doc:"For components that begin with TLS, as from another machine. Empty: there are none."`
	HTTP         []string `toml:"http" doc:"For HTTP without TLS: keep it on this machine, for a reverse proxy."`
	HTTPTLS      []string `toml:"http_tls" doc:"For HTTP with TLS, with the certificate of section tls."`
}

// TLS is section [tls].
type TLS struct {
	Certificate   string   `toml:"certificate" file:"yes" reload:"yes" doc:"PEM file with the certificate and its chain."`
	Key           string   `toml:"key" file:"secret" reload:"yes" doc:"PEM file with its key."`
	ClientCA      string   `toml:"client_ca" file:"yes" doc:"PEM file of the certificates that may sign those of clients: a client whose certificate has the address of an account (xmppAddr) logs in without a password. Empty: clients are not asked for a certificate."`
	ClientCRL     []string `toml:"client_crl" file:"yes" doc:"Files with lists of the certificates that the authorities of client_ca, and those below them, have revoked (CRL), in PEM or DER form. They are read again when they have changed; a session whose certificate is revoked ends. Empty: none are read."`
	ClientCRLOpen bool     `toml:"client_crl_open" doc:"Whether a client's certificate is accepted for whose issuer there is no list that is valid now. Otherwise it is refused, until the list is renewed."`
	ClientEmail   bool     `toml:"client_email" doc:"Whether a client's certificate without an XMPP address stands for the account that has its e-mail address. Only if client_ca signs no address that it has not checked."`
	Required      bool     `toml:"required" doc:"Whether clients must use TLS before they log in. Leave it on, except for measurements on one machine."`
}

// Login is section [login].
type Login struct {
	Backends        []string `toml:"backends" doc:"Who checks passwords and tokens, in the order in which those are asked that have no account: 'own' for the accounts of this server, and names of [[ldap]], [[http_check]], [[jwt]] and [[oidc]]. Empty: own and then all of these. Without own, accounts with a password of this server cannot log in."`
	Iterations      int      `toml:"iterations" doc:"Rounds of SCRAM for new passwords."`
	Tries           int      `toml:"tries" doc:"Wrong passwords on one connection before it is closed."`
	Failures        int      `toml:"failures" reload:"yes" doc:"Wrong passwords a minute from one address before each further try has to wait, or is refused for now: so many user names, then so many further tries of these, and a quarter of them for one user name. Who shares the address and has logged in from there is not held up by others. Wrong secrets of components count in the same way. 0: no limit."`
	AccountFailures int      `toml:"account_failures" reload:"yes" doc:"Wrong passwords a minute for one account from all addresses together, before each further try has to wait, or is refused for now. Addresses from which somebody has logged in to the account are not held up by others. 0: no limit."`
	TLSWait         Duration `toml:"tls_wait" reload:"yes" doc:"Time from connecting to TLS."`
	Wait            Duration `toml:"wait" reload:"yes" doc:"Time from connecting to being logged in; a component has 15 seconds at most."`
	TokenLife       Duration `toml:"token_life" doc:"How long a client that has asked for a token can log in with it instead of the password."`
	TokenRefresh    Duration `toml:"token_refresh" doc:"A token that is used so long after it was issued is replaced by a new one."`
	ForeignTokens   Duration `toml:"foreign_tokens" doc:"How long a client can log in with such a token to an account of [[ldap]], [[http_check]], [[jwt]] or [[oidc]], after its last login by that back end. Before each such login LDAP, and an HTTP service with find, is asked whether it still knows the person; the token is revoked if not. The others cannot be asked: with them somebody who has lost their access there keeps it here for that time. 0: they get no tokens."`
	ClientsKept     Duration `toml:"clients_kept" reload:"yes" doc:"How long is recorded which clients have logged in to an account, for the list of clients that its owner can see. 0: only clients that have a token, without the names of their software and device."`
	Conflict        string   `toml:"conflict" doc:"When a resource is taken already: 'replace' the old session, 'reject' the new one, or 'rename' the new one."`
	Resume          Duration `toml:"resume" reload:"yes" doc:"Time for which a client that was cut off can resume its session, also after a restart of the server (XEP-0198). A client may ask for less. 0: sessions cannot be resumed."`
	ResumeLocation  string   `toml:"resume_location" doc:"Where clients should connect to resume a session: a domain or an address, with or without a port. Empty: not said."`
}

// Anonymous is section [anonymous].
type Anonymous struct {
	Hosts []string `toml:"hosts" doc:"Further domains that are served for clients without an account (XEP-0175): who connects there gets an address for the time of the connection. Nothing of it is stored. Real accounts are on the domains of server.hosts only. Empty: nobody connects without an account."`
	Allow []string `toml:"allow" doc:"Domains with which these clients communicate besides their own: served hosts, components, such as a service of rooms. Empty: only with each other."`
}

// Accounts is section [accounts].
type Accounts struct {
	Operators       []string `toml:"operators" doc:"Addresses (user@host) of operators: they look after accounts, but not after those of operators and administrators, and not after the server itself. 'dragoman account grant' gives that to an account at run time."`
	Invitations     bool     `toml:"invitations" doc:"Whether accounts can be registered with an invitation (XEP-0445), also where server.register is off. Administrators and operators invite by ad-hoc commands (XEP-0401) and by 'dragoman invite'. Where web.url begins with https:, they also get the address of a page there, which tells in a browser what to do."`
	UserInvitations bool     `toml:"user_invitations" doc:"Whether every account may invite to new accounts. Inviting to become a contact is open to all."`
	InvitationTime  Duration `toml:"invitation_time" doc:"How long an invitation is good."`
	DeletedNames    Duration `toml:"deleted_names" reload:"yes" doc:"How long the name of a deleted account cannot be registered again: whoever got it would be taken for the person who had it. Administrators and the command line can create such an account. 0: it can be registered at once."`
}

// Store is section [store].
type Store struct {
	URL        string `toml:"url" secret:"yes" doc:"PostgreSQL database, such as postgres://dragoman:password@db.example.org/dragoman. Empty: a SQLite file in the data directory. 'dragoman store copy' moves what is there."`
	URLFile    string `toml:"url_file" file:"secret" doc:"File that holds the URL instead."`
	Partitions int    `toml:"partitions" doc:"Connections to PostgreSQL that write, each with a part of the accounts and rooms."`
	Readers    int    `toml:"readers" doc:"Connections to the database that read. 0: as many as processors, and four at least."`
}

// Limits is section [limits].
type Limits struct {
	StanzaBytes        Bytes    `toml:"stanza_bytes" reload:"yes" doc:"Size of a client's stanza; at least 10000 bytes (RFC 6120)."`
	StanzaElements     int      `toml:"stanza_elements" reload:"yes" doc:"Elements in a stanza."`
	StanzaDepth        int      `toml:"stanza_depth" reload:"yes" doc:"Depth of a stanza."`
	StanzaAttributes   int      `toml:"stanza_attributes" reload:"yes" doc:"Attributes of one element."`
	LoginBytes         Bytes    `toml:"login_bytes" reload:"yes" doc:"Size of what is sent before logging in."`
	LoginElements      int      `toml:"login_elements" reload:"yes" doc:"Elements in what is sent before logging in."`
	LoginDepth         int      `toml:"login_depth" reload:"yes" doc:"Depth of what is sent before logging in."`
	LoginAttributes    int      `toml:"login_attributes" reload:"yes" doc:"Attributes of one element before logging in."`
	ComponentBytes     Bytes    `toml:"component_bytes" reload:"yes" doc:"Size of a component's stanza."`
	ComponentElements  int      `toml:"component_elements" reload:"yes" doc:"Elements in a component's stanza; depth and attributes are those of clients."`
	ComponentQueue     Bytes    `toml:"component_queue" reload:"yes" doc:"Bytes that wait for a component that reads slowly before it is cut off."`
	ComponentRate      Bytes    `toml:"component_rate" reload:"yes" doc:"Bytes a second that a component may send in the long run, twice as many at once; more is read more slowly. 0: no limit."`
	ComponentRequests  int      `toml:"component_requests" reload:"yes" doc:"Requests that wait for an answer at the same time: those that a component has sent in accounts' names, and those of one sender that a component answers by delegation."`
	DelegationAsked    int      `toml:"delegation_questions" reload:"yes" doc:"Questions of other addresses (whether they may answer requests: server.delegable) that wait for the answer of one account. With so many it is asked nothing more."`
	ComponentPresences int      `toml:"component_presences" reload:"yes" doc:"Addresses whose presence is remembered for components that have the privilege presence-roster."`
	Rate               Bytes    `toml:"rate" reload:"yes" doc:"Bytes a second that a client may send in the long run, before login too; more is read more slowly. 0: no limit."`
	Burst              Bytes    `toml:"burst" reload:"yes" doc:"Bytes that a client may send at once."`
	Queue              Bytes    `toml:"queue" reload:"yes" doc:"Bytes that wait for a slow reader before it is cut off."`
	Connections        int      `toml:"connections" reload:"yes" doc:"Connections from one address, of clients and of components. When there are more the oldest that has not logged in is ended; where all have, the new one is refused. 0: no limit."`
	PendingConnections int      `toml:"pending_connections" reload:"yes" doc:"Connections that have not logged in, from all addresses together; when there are more the oldest one of the address with the most of them is ended. 0: no limit."`
	NewConnections     int      `toml:"new_connections" reload:"yes" doc:"New connections a second from one address. 0: no limit."`
	Clients            int      `toml:"clients" reload:"yes" doc:"Clients of one account that are recorded, with their tokens. When there are more, those that have not been seen for longest are forgotten."`
	Sessions           int      `toml:"sessions" reload:"yes" doc:"Sessions of one account."`
	Recipients         int      `toml:"recipients" reload:"yes" doc:"Addresses that a client may write to in a minute, besides its own account and server. 0: no limit."`
	Fragments          int      `toml:"fragments" reload:"yes" doc:"Frames of one message of a client that connects by WebSocket (RFC 6455 §5.4)."`
	Idle               Duration `toml:"idle" reload:"yes" doc:"Silence after which a client or component is pinged, and after as long again cut off."`
	RosterItems        int      `toml:"roster_items" reload:"yes" doc:"Contacts of one account."`
	RosterBytes        Bytes    `toml:"roster_bytes" reload:"yes" doc:"Bytes of the addresses, names and groups of one account's contacts; at least 10000."`
	RosterRequests     int      `toml:"roster_requests" reload:"yes" doc:"Subscription requests to one account that it has not answered."`
	GroupMembers       int      `toml:"group_members" doc:"Members of a shared group; of \"everyone\" so many accounts are in each other's rosters, in the order of their addresses."`
	Blocked            int      `toml:"blocked" reload:"yes" doc:"Addresses that one account may block."`
	OfflineMessages    int      `toml:"offline_messages" reload:"yes" doc:"Messages kept for an account that is away; each sender may use half of what the others leave."`
	ArchiveMessages    int      `toml:"archive_messages" reload:"yes" doc:"Messages in the archive of an account; the oldest ones are deleted first, within an hour. 0: any number."`
	ArchiveBytes       Bytes    `toml:"archive_bytes" reload:"yes" doc:"Bytes of the messages in the archive of an account; the oldest ones are deleted first, within an hour. 0: any number."`
	ArchiveSearches    int      `toml:"archive_searches" doc:"Searches a minute of one account in all its messages and rooms, by the command 'Search messages'; each page counts. 0: no limit."`
	OfflineBytes       Bytes    `toml:"offline_bytes" reload:"yes" doc:"Bytes of the messages kept for an account that is away, shared in the same way."`
	Registrations      int      `toml:"registrations" reload:"yes" doc:"Accounts that may be made from one address in registration_time, where server.register is on. 0: no limit."`
	RegistrationNames  int      `toml:"registration_names" reload:"yes" doc:"User names that are taken and may be tried from one address in registration_time: whoever tries names finds out which accounts exist. 0: no limit."`
	Invitations        int      `toml:"invitations" doc:"Invitations of one account that have not been used and are still good. Operators and administrators have no limit."`
	InvitationPages    int      `toml:"invitation_pages" reload:"yes" doc:"Landing pages of invitations that one address may open in a minute. 0: no limit."`
	RegistrationTime   Duration `toml:"registration_time" reload:"yes" doc:"The time for which registrations and registration_names are meant."`
	VCardBytes         Bytes    `toml:"vcard_bytes" doc:"Size of a vCard."`
	Reports            int      `toml:"reports" reload:"yes" doc:"Reports of one account in a day about addresses that it blocks (XEP-0377); with more it blocks them all the same."`
	StrangerMessages   int      `toml:"stranger_messages" doc:"Messages and requests in an hour of one stranger to an account that has not answered. 0: no limit."`
	StrangerSenders    int      `toml:"stranger_senders" doc:"Strangers in an hour that reach one account for the first time. 0: no limit."`
	BlockListEntries   int      `toml:"block_list_entries" doc:"Entries of one list of strangers.subscribe; further ones are left out."`
	StrangerReceivers  int      `toml:"stranger_receivers" doc:"Accounts in an hour that one stranger reaches for the first time. 0: no limit."`
	ProxyConnections   int      `toml:"proxy_connections" doc:"Connections to the proxy for files, two for each file. 0: no limit."`
	ProxyStreams       int      `toml:"proxy_streams" doc:"Files that one account sends through the proxy at a time. 0: no limit."`
	ProxyRate          Bytes    `toml:"proxy_rate" doc:"Bytes a second of one file through the proxy. 0: no limit."`
	Searches           int      `toml:"searches" doc:"Searches a minute of one account in the user directory. 0: no limit."`
	SearchResults      int      `toml:"search_results" doc:"Accounts in one answer of the user directory; the rest is on further pages."`
	// Of a session.
	Unacknowledged      int   `toml:"unacknowledged" reload:"yes" doc:"Stanzas that a client with stream management (XEP-0198) has not acknowledged, or that wait for one that is cut off. When there are more, the session ends: messages are then kept like others for an account that is away. While a client is connected there may be four times as many until it has had time to answer."`
	UnacknowledgedBytes Bytes `toml:"unacknowledged_bytes" reload:"yes" doc:"Bytes of these stanzas."`
	DetachedSessions    int   `toml:"detached_sessions" reload:"yes" doc:"Sessions of one account whose clients are cut off and may resume them; the oldest one ends when there are more. 0: no limit but that of sessions."`
	AnonymousSessions   int   `toml:"anonymous_sessions" reload:"yes" doc:"Clients without an account (section [anonymous]) from one address at the same time. 0: any number."`
	InactiveQueue       int   `toml:"inactive_queue" reload:"yes" doc:"Stanzas that are held for a client that says nobody uses it (XEP-0352), such as presence, until something urgent is sent."`
}

// Proxy is section [proxy].
type Proxy struct {
	Domain  string `toml:"domain" doc:"First part of the domain at which the clients of each host find it."`
	Address string `toml:"address" doc:"Domain or IP address at which clients reach listen.proxy. Empty: the host's domain."`
}

// Strangers is section [strangers].
type Strangers struct {
	Policy    string   `toml:"policy" doc:"'limit': a few messages until they are answered; 'accept': all; 'refuse': requests to become a contact only. Accounts can choose another one by the command 'Messages from strangers'."`
	Local     bool     `toml:"local" doc:"Whether accounts of this server that do not know each other are strangers too."`
	Lists     []string `toml:"lists" reload:"yes" doc:"Files (absolute paths) with addresses and domains whose messages, presence and requests nobody gets from whom they are strangers to: one a line, as they are or as SHA-256 hashes in hexadecimal digits, such as the ids of the items of a list that servers share (RTBL). In the rooms of this server also occupant ids, as they are or as hashes. A reload reads them again."`
	Subscribe []string `toml:"subscribe" doc:"Nodes at which other services publish such a list, which is read and followed, as URIs: xmpp:SERVICE?;node=NODE. Without a node it is muc_bans_sha256."`
}

// Log is section [log].
type Log struct {
	Level  string `toml:"level" reload:"yes" doc:"debug, info, warn or error."`
	Format string `toml:"format" doc:"text or json."`
}

// Service is one [[service]].
type Service struct {
	Type         string   `toml:"type" doc:"What it is, such as stun, turn or turns."`
	Host         string   `toml:"host" doc:"Its domain or IP address."`
	Port         int      `toml:"port" doc:"Its port. 0: the usual one of its type."`
	Transport    string   `toml:"transport" doc:"udp or tcp; empty: not said."`
	Name         string   `toml:"name" doc:"Its name for people."`
	Username     string   `toml:"username" doc:"The user name that all users of the service have."`
	Password     string   `toml:"password" secret:"yes" doc:"Its password."`
	PasswordFile string   `toml:"password_file" file:"secret" doc:"File that holds the password instead."`
	Secret       string   `toml:"secret" secret:"yes" doc:"The secret that a TURN server shares with this server: each user gets a user name and a password for a time instead."`
	SecretFile   string   `toml:"secret_file" file:"secret" doc:"File that holds the secret instead."`
	Expires      Duration `toml:"expires" doc:"How long such a password is good. 0: 24 hours."`
}

// Group is one [[shared_group]].
type Group struct {
	Name    string   `toml:"name" reload:"yes" doc:"Its name in rosters."`
	Host    string   `toml:"host" reload:"yes" doc:"The served host that it belongs to. Empty: the first one."`
	Members []string `toml:"members" reload:"yes" doc:"Addresses of accounts of that host, or [\"everyone\"] for all of them. Nobody can register these addresses from a client."`
}

// Everyone reports whether all accounts of the host are members.
func (g Group) Everyone() bool { return len(g.Members) == 1 && g.Members[0] == "everyone" }

// Retention is one [[retention]].
type Retention struct {
	Host    string   `toml:"host" reload:"yes" doc:"A served host."`
	Archive Duration `toml:"archive" reload:"yes" doc:"How long messages stay in the archives of its accounts, in place of server.archive. 0: for ever."`
}

// Foreign is section [foreign].
type Foreign struct {
	Address string   `toml:"address" doc:"The server's component listener."`
	Users   []string `toml:"users" doc:"Who may use the gateways: domains or addresses. Empty: the domain that the gateway's own domain is below."`
}

// Gateway is section [gateway].
type Gateway struct {
	Key       string   `toml:"key" secret:"yes" doc:"Key that seals the tokens of linked accounts: 64 hexadecimal digits. Empty: a key file is made in the data directory."`
	KeyFile   string   `toml:"key_file" file:"secret" doc:"File that holds the key instead."`
	Users     []string `toml:"users" reload:"yes" doc:"Who may use the gateways besides the users of the served hosts: domains or addresses."`
	History   int      `toml:"history" reload:"yes" doc:"Past messages fetched when a room is seen for the first time."`
	Expire    Duration `toml:"expire" reload:"yes" doc:"How long a message waits for a network that is away before its sender gets it back as an error."`
	RetryMin  Duration `toml:"retry_min" reload:"yes" doc:"First wait before a network is tried again."`
	RetryMax  Duration `toml:"retry_max" reload:"yes" doc:"Longest wait before a network is tried again."`
	Accounts  int      `toml:"accounts" reload:"yes" doc:"Accounts that one user may link at one gateway."`
	Stanzas   int      `toml:"stanzas" reload:"yes" doc:"Messages and requests a second that one user may send to a gateway; twenty times as many at once. 0: no limit."`
	Members   int      `toml:"members" reload:"yes" doc:"People of a channel that are shown as occupants before they have said anything."`
	Bookmarks int      `toml:"bookmarks" reload:"yes" doc:"Rooms of one linked account that its owner has bookmarks of, as far as the server lets the gateway make them (XEP-0402). Elsewhere its owner is invited to new rooms. 0: neither."`
	Autojoin  int      `toml:"autojoin" reload:"yes" doc:"How many new bookmarks at once may say that clients enter their rooms by themselves. If more come, as when an account with many channels is linked, its owner enters these rooms by hand: clients would enter and list all of them at each login. 0: none."`
}

// roleNames are names that others take for the operator's: those of RFC 2142, as far as they have a use in XMPP, and common ones.
func roleNames() []string {
	return []string{"abuse", "admin", "administrator", "hostmaster", "noc", "postmaster", "root", "security", "support", "webmaster"}
}

// Default returns the default configuration.
func Default() Config {
	return Config{
		Server: Server{
			Hosts: []string{"localhost"}, Data: "data", Reserved: roleNames(), Directory: "search", Archive: Duration(365 * 24 * time.Hour), Shutdown: Duration(10 * time.Second),
		},
		Listen: Listen{C2S: []string{":5222"}, C2STLS: []string{":5223"}, S2S: []string{":5269"}, S2STLS: []string{":5270"}, Component: []string{"127.0.0.1:5347"}, HTTP: []string{"127.0.0.1:5280"}, HTTPTLS: []string{":5443"}},
		Web:    defaultWeb(), Media: defaultMedia(), Upload: defaultUpload(), Push: Push{Devices: 5, Errors: 16, Rooms: "automatic", Accounts: 10_000},
		TLS: TLS{Required: true},
		Login: Login{
			Iterations: 10000, Tries: 3, Failures: 20, AccountFailures: 20, TLSWait: Duration(30 * time.Second), Wait: Duration(60 * time.Second), Conflict: "replace",
			TokenLife: Duration(30 * 24 * time.Hour), TokenRefresh: Duration(24 * time.Hour), ClientsKept: Duration(90 * 24 * time.Hour),
			Resume: Duration(10 * time.Minute),
		},
		Accounts: Accounts{Invitations: true, InvitationTime: Duration(7 * 24 * time.Hour), DeletedNames: Duration(90 * 24 * time.Hour)},
		Limits: Limits{
			StanzaBytes: 256 << 10, StanzaElements: 4000, StanzaDepth: 64, StanzaAttributes: 128,
			LoginBytes: 10000, LoginElements: 32, LoginDepth: 8, LoginAttributes: 32,
			ComponentBytes: 512 << 10, ComponentElements: 8000, ComponentQueue: 16 << 20, ComponentRate: 32 << 20, ComponentRequests: 1000, DelegationAsked: 5, ComponentPresences: 100_000,
			Rate: 16 << 10, Burst: 256 << 10, Queue: 1 << 20, Connections: 100, PendingConnections: 2000, NewConnections: 20, Clients: 50, Sessions: 10, Recipients: 1000, Fragments: 8,
			Idle: Duration(6 * time.Minute), RosterItems: 2000, RosterBytes: 1 << 20, RosterRequests: 500, Blocked: 1000, OfflineMessages: 200, OfflineBytes: 2 << 20, VCardBytes: 64 << 10,
			ArchiveSearches: 30, Searches: 30, SearchResults: 100, GroupMembers: 2000, ProxyConnections: 1000, ProxyStreams: 10, ProxyRate: 1 << 20, Reports: 20, BlockListEntries: 500_000, StrangerMessages: 20, StrangerSenders: 100, StrangerReceivers: 50,
			Unacknowledged: 500, UnacknowledgedBytes: 1 << 20, DetachedSessions: 10, InactiveQueue: 500,
			AnonymousSessions: 10,
			Registrations:     20, RegistrationNames: 100, RegistrationTime: Duration(time.Hour), Invitations: 20, InvitationPages: 30,
		},
		Proxy:     Proxy{Domain: "proxy"},
		Strangers: Strangers{Policy: "limit"},
		Store:     Store{Partitions: 4},
		Pubsub:    defaultPubsub(),
		Rooms:     defaultRooms(), Federation: defaultFederation(),
		Log:     Log{Level: "info", Format: "text"},
		Foreign: Foreign{Address: "127.0.0.1:5347"},
		Gateway: Gateway{
			Stanzas: 50, History: 50, Expire: Duration(24 * time.Hour), RetryMin: Duration(time.Second), RetryMax: Duration(5 * time.Minute),
			Accounts: 10, Members: 200, Bookmarks: 100, Autojoin: 20,
		},
	}
}
