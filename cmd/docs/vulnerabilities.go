package main

import (
	"fmt"
	"strings"
)

// vulnerability is a class of faults that XMPP servers and their libraries had, with the tests that show that it is not here.
type vulnerability struct {
	class  string
	ids    string // of the faults elsewhere
	proofs []proof
}

// area is a part of the server with the classes that concern it.
type area struct {
	name string
	rows []vulnerability
}

// vulnerabilities are the classes that concern what the server has.
func vulnerabilities() []area {
	return []area{
		{"XML", xmlClasses()},
		{"Connections", connectionClasses()},
		{"Login and sessions", loginClasses()},
		{"Stanzas and privacy", privacyClasses()},
		{"Files and what is fetched", fileClasses()},
		{"Other servers", serverClasses()},
	}
}

func xmlClasses() []vulnerability {
	return []vulnerability{
		{"entities and document types", "CVE-2022-0217, CVE-2011-1753", []proof{"core/c2s TestCVE_2022_0217_Entities", "core/c2s TestCVE_2011_1753_BillionLaughs", "core/stream TestCVE_2022_0217_EntitiesAreNotExpanded", "core/component TestCVE_2022_0217_EntitiesOfComponents", "core/portable TestReadXML"}},
		{"little input that takes much memory", "CVE-2026-43507, ejabberd 26.04", []proof{"core/c2s TestCVE_2026_43507_ManyElements", "core/component TestCVE_2026_43507_ManyElements", "core/stream TestCVE_2026_43507_ElementsBeforeLogin", "core/c2s TestEjabberd2604_AttributesAndDepth", "core/server TestNamespacesDoNotTakeMemory"}},
		{"depth that exhausts the stack", "CVE-2022-28131, CVE-2022-30633", []proof{"core/stream TestCVE_2022_28131_Depth", "core/stanza TestCVE_2022_30633_DeepTree"}},
		{"XML that means something else after it was written again", "CVE-2020-29509, -29510, -29511", []proof{"core/stream TestCVE_2020_29509_RoundTrip", "core/stanza TestEncodedTreesParseBack"}},
		{"two parsers that disagree", "CVE-2022-22784, CVE-2022-25235", []proof{"core/stream TestCVE_2022_22784_Smuggling", "core/stream TestCVE_2022_25235_BrokenUTF8", "core/stream TestPeerExpat"}},
		{"separators within namespaces", "CVE-2022-25236", []proof{"core/stream TestCVE_2022_25236_SeparatorInNamespace"}},
		{"stanzas of another namespace", "mellium/xmpp#182", []proof{"core/c2s TestOtherContentNamespace"}},
		{"prefixes that are not recognised", "ejabberd#814", []proof{"core/c2s TestEjabberd814_AnyPrefix"}},
		{"compression", "CVE-2014-2741 to -2746, -2829", []proof{"core/c2s TestCVE_2014_2741_Compression"}},
		{"language tags", "CVE-2022-32149", []proof{"core/stream TestCVE_2022_32149_LanguageTag"}},
		{"addresses that are cut or are no UTF-8", "CVE-2015-2058, CVE-2015-2059", []proof{"core/jid TestCVE_2015_2058_NeverTruncated", "core/jid TestCVE_2015_2059_InvalidUTF8"}},
	}
}

func connectionClasses() []vulnerability {
	return []vulnerability{
		{"many connections before login", "CVE-2021-32918", []proof{"core/c2s TestCVE_2021_32918_ManyConnectionsBeforeLogin", "core/stream TestCVE_2021_32918_IdleMemory"}},
		{"what is left of connections that ended", "CVE-2026-43506", []proof{"core/c2s TestCVE_2026_43506_ConnectAndClose"}},
		{"readers that do not read", "CVE-2010-0305", []proof{"core/c2s TestCVE_2010_0305_SlowReader", "core/component TestCVE_2010_0305_SlowComponent", "core/outbound TestCVE_2010_0305_SlowReaderIsDisconnected"}},
		{"errors after the peer has gone", "CVE-2017-18265", []proof{"core/c2s TestCVE_2017_18265_Disconnected", "core/component TestCVE_2017_18265_Disconnected"}},
		{"renegotiation and key updates", "CVE-2021-32920", []proof{"core/c2s TestCVE_2021_32920_Renegotiation"}},
		{"streams that are reset at once", "CVE-2023-44487, CVE-2023-39325", []proof{"core/web TestRapidReset"}},
	}
}

func loginClasses() []vulnerability {
	return []vulnerability{
		{"what was sent before TLS is read after it", "CVE-2011-0411", []proof{"core/c2s TestCVE_2011_0411_StartTLSInjection", "core/stream TestCVE_2011_0411_ResetDropsWhatIsBuffered"}},
		{"required TLS is evaded", "CVE-2014-8760", []proof{"core/c2s TestCVE_2014_8760_NothingBeforeTLS"}},
		{"a login for one host on another", "CVE-2018-10847", []proof{"core/c2s TestCVE_2018_10847_OtherHostAfterLogin"}},
		{"a login as somebody else", "ejabberd 26.07", []proof{"core/sasl TestEjabberd2607_OtherAuthzid", "core/c2s TestEjabberd2607_OtherAuthzid"}},
		{"mechanisms that were not offered", "CVE-2017-10807, OF-3273", []proof{"core/sasl TestCVE_2017_10807_NotOffered", "core/c2s TestCVE_2017_10807_MechanismNotOffered", "core/c2s TestCVE_2017_10807_NotOfferedWithSASL2"}},
		{"requests in somebody else's session over HTTP", "XEP-0124 §15, §19", []proof{"core/bosh TestKeys", "core/server TestBOSHRefusals", "core/server TestBOSHRestartElsewhere"}},
		{"names in certificates", "CVE-2025-59154", []proof{"core/c2s TestCVE_2025_59154_CommonName", "core/server TestClientCertificates"}},
		{"comparisons that take as long as they match", "CVE-2021-32921, OF-3257", []proof{"integration TestCVE_2021_32921_Comparisons", "core/component TestCVE_2021_32921_WrongProofs"}},
		{"which accounts exist", "OF-3258", []proof{"core/sasl TestOF3258_UnknownUsers"}},
		{"downgrade of mechanism or channel binding", "ejabberd 26.03", []proof{"core/sasl TestEjabberd2603_DowngradeIsNoticed"}},
		{"tokens that outlive a password", "mod_tokenauth 2022, ejabberd 25.07", []proof{"core/server TestTokensEndWithTheirAccount", "core/server/featuretest TestChangedPasswordEndsOtherSessions", "core/server TestFastReplay"}},
		{"sessions of tokens and certificates that were revoked", "RFC 6120 §13.7.2.3", []proof{"core/server TestRevokedToken", "core/server TestRevokedCertificate", "core/identity/revoked TestCheck"}},
		{"tokens signed by nobody, or with a public key as the secret", "CVE-2015-9235", []proof{"core/identity/jwt TestUnsigned", "core/identity/oidc TestHostileTokens"}},
		{"injection into a directory's filter or name", "CVE-2020-8086 (LDAP)", []proof{"core/identity/ldap TestHostileDirectory"}},
		{"ids that can be guessed", "CVE-2016-1232, ejabberd 26.07", []proof{"core/c2s TestCVE_2016_1232_UnpredictableIDs", "core/component TestCVE_2016_1232_UnpredictableIDs", "integration TestEjabberd2607_Randomness"}},
		{"sessions of others, or with a wrong counter, are resumed", "OF-2808, OF-2810, OF-2896", []proof{"core/c2s TestResumeRefused", "core/c2s TestResumeRace", "core/c2s TestDetachedBounded", "core/server TestStoredSessionsRevoked"}},
		{"rights by the user name alone", "CVE-2020-8086", []proof{"core/admin TestCVE_2020_8086_RoleOfWholeAddress", "core/server TestCVE_2020_8086_SameNameElsewhere"}},
		{"what a deleted account had is its successor's", "CVE-2024-25420, CVE-2024-25421", []proof{"core/server TestCVE_2024_25420_NothingAfterDeletion", "core/server TestCVE_2024_25420_GrantedRole", "core/store/administration TestCVE_2024_25420_RoleEndsWithAccount", "core/store/nodes TestCVE202425420_RightsOfDeletedAccount", "core/server/featuretest TestCVE202425421_GroupMembersAreReserved", "core/server/featuretest TestCVE_2024_25420_RoomsOfDeletedAccounts"}},
		{"a password of somebody else", "CVE-2009-1595, -1596", []proof{"core/server TestCVE_2009_1595_PasswordOfOthers"}},
	}
}

func privacyClasses() []vulnerability {
	return []vulnerability{
		{"copies and archives that others forge", "CVE-2017-5589 to -5606, CVE-2019-16235, CVE-2020-26547", []proof{"core/server TestCVE_2017_5589_ForgedCopies", "scenario/carbons-forged"}},
		{"roster pushes of others", "CVE-2015-8688, CVE-2016-9928, CVE-2019-16236, CVE-2014-0364", []proof{"core/router TestCVE_2015_8688_RosterPush", "core/server TestCVE_2019_16236_RosterOfOthers", "core/server/featuretest TestCVE_2016_9928_ForgedRosterPush"}},
		{"events of nodes that others forge", "CVE-2023-28686", []proof{"core/c2s TestCVE_2023_28686_EventFromBareAddress"}},
		{"senders of another name", "RFC 6120 §8.1.2", []proof{"scenario/forged-sender", "scenario/component-forged"}},
		{"ids and delays in the server's name", "Prosody#1552, mod_mam 2021", []proof{"core/server/featuretest TestProsody1552_ForgedStanzaID", "core/message TestForgedDelays"}},
		{"occupant ids that clients send", "ejabberd 25.04, OF-3055, OF-2607", []proof{"core/room TestEjabberd2504_Spoofing"}},
		{"lists of rooms, read by anybody", "CVE-2021-37601", []proof{"core/room TestCVE_2021_37601_ReadLists"}},
		{"moderators above their rights", "OF-2865, OF-2843, OF-2844", []proof{"core/room TestAffiliationMatrix", "core/room TestRoleMatrix"}},
		{"capabilities under a false hash", "ejabberd 26.07", []proof{"core/server/featuretest TestEjabberd2607_CapsPoisoning", "core/server/featuretest TestRemoteCapsPoisoning"}},
		{"publishers under another name; nodes of nobody", "mod_pubsub, mod_pep", []proof{"core/server/featuretest TestPubsubService", "core/server/featuretest TestProsodyPEP_NonexistentAccount"}},
		{"data of others is written", "OF-2838, OF-2839", []proof{"core/server TestOF2838_VCardOfOthers"}},
		{"presence is found out by probes and errors", "OF-3072, RFC 6121 §11", []proof{"core/server TestOF3072_ProbesWithoutSubscription"}},
		{"authors and moderators that occupants of a linked room make up", "", []proof{"transports/bridge TestForgedIDsInALinkedRoom", "transports/bridge TestNicknameOfAnotherInALinkedRoom", "transports/bridge TestForgedModerationInALinkedRoom", "transports/bridge TestModerationWaitsForTheNetwork"}},
		{"accounts and addresses that mentions and searches tell others", "", []proof{"transports/bridge TestMentionsShowNoAccounts", "transports/bridge TestLinkedMentionsShowNoAccounts", "transports/bridge TestAddressesAreForTheLoginThatSeesThem"}},
		{"SQL in what pages begin with", "ejabberd 26.07", []proof{"core/archive TestQuery", "core/server/featuretest TestPubsubService", "core/server/featuretest TestSearchRefuses"}},
	}
}

func fileClasses() []vulnerability {
	return []vulnerability{
		{"paths that lead elsewhere", "CVE-2016-1231, CVE-2019-18393", []proof{"core/blob TestPathTraversal", "core/server/featuretest TestUploadPaths"}},
		{"uploads that run in browsers", "ejabberd 26.07", []proof{"core/server/featuretest TestUploadedPages", "core/web TestTypesInAnyCase"}},
		{"slots that take another file, another time or twice", "XEP-0363 §11", []proof{"core/features/upload TestSlotExpires", "core/features/upload TestTokens", "core/features/upload TestUploadTwiceAtOnce"}},
		{"addresses inside that are fetched for somebody", "CVE-2019-18394, OF-3315", []proof{"transports/bridge/puppets TestFetch", "transports/bridge/media TestFetchOfPrivateAddresses", "transports/bridge/media TestFetchAfterResolution", "transports/bridge/media TestFetchRedirected"}},
		{"files that are larger than was said, or grow when they are decompressed", "", []proof{"transports/bridge/media TestFetchedSize", "transports/bridge/media TestFetchedDecompression"}},
		{"requests without a login that cost calls of a network", "", []proof{"transports/bridge/media TestRefusalsAreRemembered", "transports/bridge/media TestRateOfOneAddress", "transports/bridge/media TestRateOfOneLogin"}},
		{"pages of others that connect as whoever reads them", "", []proof{"core/server TestWebSocketOrigins"}},
		{"open relays; bytes before activation", "CVE-2021-32917, CVE-2026-43504, CVE-2026-43505", []proof{"core/bytestreams TestCVE202132917_NoOpenProxy", "core/bytestreams TestCVE202643504_NothingBeforeActivation"}},
		{"an import that reads elsewhere", "ejabberd 25.07", []proof{"core/portable TestReadXML", "core/accounts TestEjabberd2507_ImportReadsNothingOutside"}},
	}
}

func serverClasses() []vulnerability {
	return []vulnerability{
		{"answers of dialback that were not asked for", "CVE-2012-3525", []proof{"core/s2s TestCVE_2012_3525_UnsolicitedAnswers", "core/s2s TestOtherServerRefused"}},
		{"one dialback key for several pairs of domains", "CVE-2016-0756", []proof{"core/s2s/dialback TestCVE_2016_0756_Concatenation", "core/s2s/dialback TestKeys"}},
		{"dialback keys that can be guessed or used again", "CVE-2016-1232", []proof{"core/s2s TestCVE_2016_1232_UnpredictableIDs", "core/s2s TestReplayedKey"}},
		{"the right for one domain used for another", "CVE-2021-32919, CVE-2018-10847", []proof{"core/s2s TestCVE_2021_32919_CertificateOfAnotherDomain", "core/s2s TestCVE_2018_10847_OtherDomainsAfterExternal", "core/s2s TestPairs"}},
		{"certificates that are not valid, or name another domain", "CVE-2014-3451, OF-3243", []proof{"core/s2s TestExternalRefused", "core/s2s TestOtherServerRefused", "core/s2s/certificate TestNames"}},
		{"certificates with very many names", "OF-3159", []proof{"core/s2s/certificate TestHugeNameList"}},
		{"certificates that their authorities have revoked", "", []proof{"core/s2s TestRevokedCertificate"}},
		{"stanzas before authentication, or without TLS", "CVE-2014-8760", []proof{"core/s2s TestNothingBeforeAuthentication", "core/s2s TestNothingBeforeTLS"}},
		{"what was sent before TLS is read after it", "CVE-2011-0411", []proof{"core/s2s TestCVE_2011_0411_InjectionIntoProceed"}},
		{"servers that do not read, or never answer", "CVE-2010-0305", []proof{"core/s2s TestCVE_2010_0305_SlowServer", "core/s2s TestManySilentDomains", "core/s2s TestSlowAfterAuthentication", "core/s2s TestCVE_2010_0305_NeverReads"}},
		{"one network or account takes all that is opened or looked up for others", "", []proof{"core/s2s TestVerificationsOfOneNetwork", "core/s2s TestVerificationsOfOneDomain", "core/s2s TestLookupsOfOneNetwork", "core/s2s TestAttemptsOfOneAccount", "core/s2s TestManyFailedLinks", "core/s2s TestManyCutStreams", "core/s2s TestWaitingOfAllLinks", "core/server/featuretest TestRemoteQuestionsOfOneDomain", "transports/bridge/gateway TestManyUsersOfOneDomain", "core/channelsearch TestManyForeignSearchers", "core/features/conference TestForeignQueries"}},
		{"a connection that a stricter policy would not have allowed", "", []proof{"core/s2s TestPolicyBecomesStricter"}},
		{"stanzas for a domain that go to whoever relays its connection", "", []proof{"core/s2s TestReverseDirectionPolicy", "core/s2s TestTLSAWithoutTLS", "core/s2s/locate TestSuppressedTLSA"}},
		{"a domain that avoids its rate", "", []proof{"core/s2s TestDomainLimits", "core/s2s TestDomainLimitBeforeEnabled", "core/s2s TestDomainLimitLargerThanBurst", "core/s2s TestDomainLimitElements"}},
		{"streams of others, or with a wrong counter, are resumed", "OF-2808", []proof{"core/s2s TestResume", "core/s2s TestAcknowledged"}},
	}
}

const vulnerabilitiesHead = `# Classes of vulnerabilities

What other servers and libraries had to mend, and the tests that show that it is not here. ` + "`go run ./cmd/docs`" + ` writes this page from
cmd/docs/vulnerabilities.go; a test fails when a named test does not exist. Pages for
administrators do not exist yet; their classes (scripts and requests across sites) come with them.

| area | class | faults elsewhere | tests |
| --- | --- | --- | --- |
`

// vulnerabilitiesPage returns the page about classes of vulnerabilities.
func vulnerabilitiesPage() string {
	var b strings.Builder
	b.WriteString(vulnerabilitiesHead)
	for _, a := range vulnerabilities() {
		for _, v := range a.rows {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", a.name, v.class, v.ids, links(v.proofs))
		}
	}
	return b.String()
}
