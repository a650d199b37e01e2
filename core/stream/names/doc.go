// Package names has the characters beyond ASCII that names of XML may have: those of XML 1.0 fourth edition appendix B without what the fifth
// edition §2.3 removes again. Characters outside the first plane are in neither table: the fourth edition has none, and expat refuses them.
package names
