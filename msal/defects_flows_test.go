package msal_test

import (
	"crypto/x509"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/AzureAD/microsoft-authentication-library-for-go/apps/confidential"
	msalerrors "github.com/AzureAD/microsoft-authentication-library-for-go/apps/errors"
	"github.com/youmark/pkcs8"

	"github.com/msalext/msalext/msal"
	"github.com/msalext/msalext/msal/msaltest"
)

// TestDefectsOfFlows: what MSAL does to a sign-in itself.
func TestDefectsOfFlows(t *testing.T) {
	t.Parallel()
	testDefects(t, []defect{
		{"why a device code sign-in failed", nil, drainedAnswer, "", "authorization_declined"},
		{"the interval of polls", &msaltest.Options{Approver: alice, Pending: 1}, twoPolls, "too early", "in time"},
		{"a private key that is encrypted", nil, encryptedKey, "no credential", "a token"},
		{"tokens in the text of an error", nil, tokenInError, "the token is printed", "nothing is printed"},
	})
}

// drainedAnswer: MSAL has read the answer that its error holds.
func drainedAnswer(s *side) string {
	device, err := s.publicAlone().AcquireTokenByDeviceCode(s.Context(), scopes)
	if err != nil {
		s.Fatal(err)
	}
	if err := s.srv.Decline(device.Result.UserCode); err != nil {
		s.Fatal(err)
	}
	_, err = device.AuthenticationResult(s.Context())
	if s.ours {
		if known, ok := errors.AsType[*msal.Error](msal.FromMSAL(err)); ok {
			return known.Code
		}
		return "unknown"
	}
	call, ok := errors.AsType[msalerrors.CallErr](err)
	if !ok {
		s.Fatal(err)
	}
	body, _ := io.ReadAll(call.Resp.Body)
	return string(body)
}

// twoPolls tells whether the second poll comes before the interval is over.
func twoPolls(s *side) string {
	client := s.publicAlone()
	if s.ours {
		client = s.over(s.srv.Authority(), msal.DeviceNetwork(s.srv.Client()), false)
		flow, err := msal.BeginDevice(s.Context(), client, scopes, "")
		if err == nil {
			_, err = flow.Complete(s.Context(), client, nil)
		}
		if err != nil {
			s.Fatal(err)
		}
	} else {
		device, err := client.AcquireTokenByDeviceCode(s.Context(), scopes)
		if err == nil {
			_, err = device.AuthenticationResult(s.Context())
		}
		if err != nil {
			s.Fatal(err)
		}
	}
	if polls := s.srv.Requests(msaltest.KindTokenDevice); polls[1].Time.Sub(polls[0].Time) < msaltest.DefaultDeviceCodeInterval {
		return "too early"
	}
	return "in time"
}

// tokenInError: an answer was cut short, behind the token.
func tokenInError(s *side) string {
	const secret = "an-access-token"
	s.srv.Fail(msaltest.KindTokenPassword, msaltest.Failure{Status: 200, Body: []byte(`{"access_token":"` + secret + `","expires_i`)})
	_, err := byPassword(s.Context(), s.publicAlone(), alice)
	if err == nil {
		s.Fatal("no error")
	}
	if s.ours {
		err = msal.FromMSAL(err)
	}
	if strings.Contains(err.Error(), secret) {
		return "the token is printed"
	}
	return "nothing is printed"
}

// encryptedKey: MSAL has a parameter for the passphrase, and doesn't use it.
func encryptedKey(s *side) string {
	const passphrase = "correct horse"
	app := certify(s.T, 0, validNow, nil)
	der, err := pkcs8.MarshalPrivateKey(app.key, []byte(passphrase), nil)
	if err != nil {
		s.Fatal(err)
	}
	text := []byte(block("ENCRYPTED PRIVATE KEY", der) + app.certPEM())
	s.srv.AddApp(msaltest.App{ClientID: "web", Certificates: []*x509.Certificate{app.cert}})
	if !s.ours {
		if _, _, err := confidential.CertFromPEM(text, passphrase); err != nil {
			return "no credential"
		}
		return "a credential"
	}
	credential, err := msal.CertificatePEM(text, &msal.CertificateOptions{Passphrase: passphrase})
	if err != nil {
		s.Fatal(err)
	}
	if err := s.accepted(credential); err != nil {
		return err.Error()
	}
	return "a token"
}
