package com.microsoft.aad.msal4j;

/** Stores accounts in msal4j's memory; its entries are private to this package. */
public final class SignIn {
    private SignIn() {}

    public static void store(TokenCache cache, String name) {
        AccountCacheEntity account = new AccountCacheEntity();
        account.homeAccountId(name + ".t");
        account.environment("login.microsoftonline.com");
        account.realm("t");
        account.localAccountId(name);
        account.username(name);
        account.authorityType("MSSTS");
        cache.accounts.put(account.getKey(), account);

        RefreshTokenCacheEntity token = new RefreshTokenCacheEntity();
        token.credentialType("RefreshToken");
        token.homeAccountId(name + ".t");
        token.environment("login.microsoftonline.com");
        token.clientId("c");
        token.secret("rt-" + name);
        cache.refreshTokens.put(token.getKey(), token);
    }

    /** What msal4j tells the aspect before and after it stores a token. */
    public static ITokenCacheAccessContext writing(TokenCache cache) {
        return new TokenCacheAccessContext(cache, "c", null, true);
    }
}
