// What pages of web apps expect of DSS: where the backend is, what the web app was told, and how to say that it fails.
(() => {
  'use strict';
  const facts = window.minihostWebApp;
  const address = new URL(location.href);
  if (address.searchParams.has('token')) {
    address.searchParams.delete('token');
    history.replaceState(null, '', address); // addresses end up in histories and screenshots
  }
  const copy = (value) => JSON.parse(JSON.stringify(value));

  const getWebAppBackendUrl = (path) => facts.backend + String(path ?? '').replace(/^\/+/, '');

  const webappMessages = {
    displayFatalError(error) {
      webappMessages.clear();
      const box = document.createElement('div');
      box.id = 'minihost-message';
      box.setAttribute('role', 'alert');
      box.style.cssText =
        'position:fixed;z-index:2147483647;top:12px;left:12px;right:12px;padding:12px 16px;white-space:pre-wrap;' +
        'font:14px/1.4 system-ui,sans-serif;color:#7a1f1f;background:#fdecea;border:1px solid #f3b6b0;border-radius:6px';
      box.textContent = String((error && error.message) || error);
      (document.body || document.documentElement).append(box);
    },
    clear() {
      document.getElementById('minihost-message')?.remove();
    },
  };

  // A parameter that is mandatory and shown must have a value.
  const checkWebAppParameters = (config = facts.config, desc = facts.desc) => {
    const listed = [].concat(desc?.params ?? [], desc?.topBarParams ?? [], desc?.leftBarParams ?? []);
    const empty = (value) => value === undefined || value === null || value === '' || value?.length === 0;
    const missing = listed.filter((param) => param.mandatory && !param.visibilityCondition && empty(config?.[param.name]));
    if (missing.length) throw new Error(`Parameters without a value: ${missing.map((param) => param.label || param.name).join(', ')}.`);
  };

  const call = async (path, options, displayErrors) => {
    try {
      const response = await fetch(path, { credentials: 'same-origin', ...options });
      const text = await response.text();
      if (!response.ok) throw new Error(`${response.statusText} (HTTP ${response.status})\n${text}`);
      try {
        return JSON.parse(text);
      } catch {
        throw new Error(`The backend's answer is not JSON: ${text.slice(0, 500)}`);
      }
    } catch (error) {
      if (displayErrors) webappMessages.displayFatalError(error);
      throw error;
    }
  };

  const webappBackend = {
    getUrl: getWebAppBackendUrl,
    get(path, args = {}, displayErrors = true) {
      const query = new URLSearchParams(args).toString();
      return call(getWebAppBackendUrl(path) + (query ? `?${query}` : ''), { headers: { Accept: 'application/json' } }, displayErrors);
    },
    post(path, body = {}, displayErrors = true) {
      const headers = { Accept: 'application/json', 'Content-Type': 'application/json' };
      return call(getWebAppBackendUrl(path), { method: 'POST', headers, body: JSON.stringify(body) }, displayErrors);
    },
  };

  const outsideDss = (name) => () => {
    throw new Error(`dataiku.${name} is not available outside DSS: ask the web app's backend for the data instead.`);
  };

  window.dataiku = {
    getWebAppBackendUrl,
    getWebAppConfig: () => copy(facts.desc?.chart ? { ...facts.config, webAppConfig: facts.config } : facts.config),
    getWebAppDesc: () => copy(facts.desc),
    checkWebAppParameters: () => checkWebAppParameters(),
    webappBackend,
    webappMessages,
    fetch: outsideDss('fetch'),
    getSchema: outsideDss('getSchema'),
    setAPIKey() {},
    setDefaultProjectKey() {},
  };
  Object.assign(window, { getWebAppBackendUrl, checkWebAppParameters, webappMessages });
})();
